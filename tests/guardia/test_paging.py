"""Pages of endless lists: every row once in either direction, at the same cost however far down."""

import re
from itertools import chain, pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from guardia.common.paging import CappedPaginator, newest_first
from tests.doors import browser
from tests.factories import Tenant, due_steps, make_user
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def pages_by_link(client: Client, rel: str, path: str) -> list[list[str]]:
    """The TASK_IDs of each page on the way along its links."""
    found = []
    for _page in range(20):
        text = client.get(path).content.decode()
        found.append(re.findall(r"<span>(OPS-[0-9-]+)</span>", text))
        link = re.search(rf'rel="{rel}" href="([^"]+)"', text)
        if link is None:
            return found
        path = "/tasks/" + link[1].replace("&amp;", "&")
    raise AssertionError("the links never end")


def test_the_list_of_tasks_is_walked_down_and_up_again() -> None:
    tenant, other = Tenant(servers=1), Tenant(servers=1)
    for _turn in range(9):
        due_steps(tenant, 5)
        due_steps(other, 3)
    OpsTask.objects.filter(pk__in=OpsTask.objects.filter(institution=other.institution)[:4]).update(status="APP")
    newest = list(OpsTask.objects.filter(institution=tenant.institution).values_list("task_id", flat=True))
    client = browser(tenant.pm)
    down = pages_by_link(client, "next", "/tasks/")
    assert [len(page) for page in down] == [20, 20, 5] and list(chain.from_iterable(down)) == newest
    last = OpsTask.objects.get(task_id=newest[40])
    up = pages_by_link(client, "prev", f"/tasks/?before={last.pk + 1}")
    assert up == [newest[40:], newest[20:40], newest[:20]]
    # with a state, for somebody who sees both
    client = browser(make_user(Role.PM))
    assert [len(page) for page in pages_by_link(client, "next", "/tasks/?status=APP")] == [4]
    assert [len(page) for page in pages_by_link(client, "next", "/tasks/?status=PEN&q=재기동")] == [20, 20, 20, 8]


def test_keys_that_are_none_show_the_newest() -> None:
    tenant = Tenant(servers=1)
    due_steps(tenant, 5)
    newest = list(OpsTask.objects.all()[:2])
    for wrong in ("", "x", "-1", "1 OR 1=1", "9" * 40, "٣", "0x10"):
        for page in (newest_first(OpsTask.objects.all(), size=2, **{key: wrong}) for key in ("before", "after")):
            assert (list(page.rows), page.newer, page.older) == (newest, None, newest[-1].pk), wrong
    assert newest_first(OpsTask.objects.all(), size=2, before="0").rows == []
    assert list(newest_first(OpsTask.objects.all(), size=2, after="9" * 18).rows) == newest


def test_counting_ends_at_the_most() -> None:
    due_steps(Tenant(servers=1), 7)

    class Short(CappedPaginator):
        most = 5

    for most, (count, pages, is_capped) in {Short: (5, 3, True), CappedPaginator: (7, 4, False)}.items():
        paginator = most(OpsTask.objects.all(), 2)
        with CaptureQueriesContext(connection) as queries:
            assert (paginator.count, paginator.num_pages, paginator.is_capped) == (count, pages, is_capped)
        assert len(queries) == 1 and f"LIMIT {paginator.most}" in queries[0]["sql"]
    firsts = [page.object_list[0].pk for page in CappedPaginator(OpsTask.objects.all(), 2)]
    assert all(older < newer for newer, older in pairwise(firsts))
    assert CappedPaginator([1, 2, 3], 2).count == 3
