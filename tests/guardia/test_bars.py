"""The bars: where one is, what waits for me, and a way to every page that fits a phone."""

import re
from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import Membership, User
from tests.doors import browser
from tests.factories import Tenant, make_user
from tickets.models import OpsTask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
_TAB = re.compile(r'<a href="([^"]+)"([^>]*)>.*?</svg>(.*?)</a>', re.DOTALL)


def tabs(user: User, path: str = "/") -> dict[str, tuple[str, str]]:
    """The phone's tabs: address → (whether it is this place, words)."""
    page = browser(user).get(path).content.decode()
    bar = page.partition('<nav class="tabbar"')[2].partition("</nav>")[0]
    found = [(match[1], match[2], re.sub(r"<[^>]+>", " ", match[3])) for match in _TAB.finditer(bar)]
    return {
        href: (("aria-current" in attributes and "here") or "", " ".join(words.split()))
        for href, attributes, words in found
    }


def test_an_approvers_tabs_count_what_waits_for_them() -> None:
    tenant = Tenant(servers=1)
    tenant.planned()
    tenant.planned()
    found = tabs(tenant.owner)
    assert list(found) == ["/", "/inbox/", "/tasks/new/", "/tasks/", "/more/"]
    assert found["/"] == ("here", "Home") and found["/inbox/"] == ("", "Inbox 2 2 wait for my approval")
    task, _plan = tenant.approved()
    OpsTask.objects.filter(pk=task.pk).update(status="VAL")
    found = tabs(tenant.pm, "/inbox/")
    assert found["/"][1] == "Home 1 1 to validate or review" and found["/inbox/"] == ("here", "Inbox")
    assert "unread messages" in found["/more/"][1]


def test_who_is_asked_for_nothing_has_no_inbox_tab() -> None:
    tenant = Tenant(servers=1)
    Membership.objects.filter(user=tenant.deputy).update(authority="VIEWER")
    for person in (tenant.site_manager, tenant.deputy, make_user(Role.AUDITOR)):
        assert list(tabs(person)) == ["/", "/tasks/new/", "/tasks/", "/more/"]


@pytest.mark.parametrize("path", ["/more/", "/queue/", "/calendar/", "/messages/", "/account/", "/absence/"])
def test_a_place_without_a_tab_of_its_own_is_under_more(path: str) -> None:
    found = tabs(make_user(Role.PM), path)
    assert [href for href, (here, _words) in found.items() if here] == ["/more/"]


def test_more_leads_everywhere_one_may_go() -> None:
    tenant = Tenant(servers=1)
    common = {"/messages/", "/queue/", "/calendar/", "/policies/", "/account/"}
    admin = make_user(Role.ADMINISTRATOR, tenant.institution)
    cases: list[tuple[User, set[str]]] = [
        (tenant.site_manager, common),
        (tenant.pm, common | {"/absence/", "/admin/", "/playbooks/", "/gateways/"}),
        (admin, common | {"/absence/", "/admin/", "/playbooks/", "/authority/", "/people/", "/gateways/", "/reports/"}),
    ]
    for person, expected in cases:
        page = browser(person).get("/more/").content.decode().partition("<main")[2].partition("</main>")[0]
        assert set(re.findall(r'<a class="row" href="([^"]+)"', page)) == expected
        assert all(browser(person).get(href).status_code == 200 for href in expected)


def test_the_bars_ask_little(django_assert_max_num_queries: Any) -> None:
    tenant = Tenant(servers=1)
    tenant.planned()
    client = browser(tenant.owner)
    with django_assert_max_num_queries(12):
        assert client.get("/more/").status_code == 200
