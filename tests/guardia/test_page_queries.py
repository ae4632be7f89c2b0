"""Every page stays within twenty queries, whoever looks, and a task's whatever it has behind it and where it stands."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import User
from execution.models import Playbook
from execution.playbooks.choose import choose_playbook
from execution.playbooks.publish import publish_playbook
from execution.rollout.start_run import start_run
from tests.doors import browser
from tests.factories import Tenant, make_user
from tests.guardia.world import Zebra
from tickets.choices import TaskStatus
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db
LIMIT = 20
#: Pages that aren't a task's; those of the admin are read off its registry.
PAGES = (
    *("/", "/inbox/", "/queue/", "/tasks/", "/tasks/new/", "/messages/", "/more/", "/people/", "/authority/"),
    *("/servers/keys/", "/calendar/", "/policies/", "/policies/new/", "/policies/changes/", "/halt/", "/absence/"),
    *("/account/", "/admin/", "/playbooks/", "/reports/"),
)


def queries_of(client: Client, path: str) -> tuple[int, list[str]]:
    """The status, and what a page asks the database."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    return response.status_code, [query["sql"] for query in captured.captured_queries]


def warm(person: User) -> Client:
    """A client that has asked what is asked once per process or session."""
    client = browser(person)
    client.get("/")
    client.get("/admin/")
    return client


def waiting(tenant: Tenant) -> OpsTask:
    return tenant.planned()[0]


def running(tenant: Tenant) -> OpsTask:
    task, _plan = tenant.approved()
    assert start_run(task.pk) is not None
    return task


def asking(tenant: Tenant) -> OpsTask:
    return tenant.file(text=tenant.system.name)


def with_everything(tenant: Tenant) -> OpsTask:
    assert isinstance(tenant, Zebra)
    return tenant.task


def asked_and_excepted(tenant: Tenant) -> OpsTask:
    assert isinstance(tenant, Zebra)
    return tenant.waiting


@pytest.mark.parametrize("stand", [waiting, running, asking, with_everything, asked_and_excepted])
def test_the_page_of_a_task_costs_at_most_twenty_queries(stand: Callable[[Tenant], OpsTask]) -> None:
    tenant = Zebra() if stand in (with_everything, asked_and_excepted) else Tenant(servers=12)
    task = stand(tenant)
    people: list[User] = [tenant.site_manager, tenant.owner, tenant.pm]
    clients = {person: warm(person) for person in people}
    over = {}
    for status in TaskStatus.values:
        OpsTask.objects.filter(pk=task.pk).update(status=status)
        for person, client in clients.items():
            paths = [f"/tasks/{task.task_id}/", *([f"/admin/tickets/opstask/{task.pk}/change/"] * person.is_staff)]
            for path in paths:
                code, asked = queries_of(client, path)
                assert code == 200, path
                if len(asked) > LIMIT:
                    over[status, str(person), path] = asked
    assert not over, {key: len(asked) for key, asked in over.items()}


def test_every_other_page_costs_at_most_twenty_queries() -> None:
    zebra = Zebra()
    others = [make_user(role, zebra.institution) for role in (Role.ADMINISTRATOR, Role.OPERATOR)]
    others += [make_user(Role.SECURITY_OFFICER), User.objects.create_superuser("of-all")]
    lists = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    over, shown = {}, set()
    for person in (zebra.site_manager, zebra.owner, zebra.pm, *others):
        client = warm(person)
        for path in (*PAGES, *(lists if person.is_staff else ())):
            code, asked = queries_of(client, path)
            if code == 200:
                shown.add(path)
            if len(asked) > LIMIT:
                over[str(person), path] = len(asked)
    assert not over, sorted(over.items(), key=lambda item: -item[1])
    assert shown >= {*PAGES, *lists}, "each page was seen by somebody"


def test_a_trial_of_a_playbook_costs_at_most_twenty_queries() -> None:
    tenant = Tenant(servers=12)
    first = Playbook.objects.get(name="log-analysis")
    publish_playbook(actor="test", source=first.source.replace("version: 1", "version: 2"))
    given = {"host": ", ".join(server.hostname for server in tenant.servers), "param-texts": "ERROR"}
    over = {}
    for person in (tenant.pm, make_user(Role.OPERATOR, tenant.institution), make_user(Role.OPERATOR)):
        choose_playbook(actor=make_user(Role.OPERATOR), system=tenant.system, playbook=first)
        client = warm(person)
        for path in ("/playbooks/log-analysis/", f"/playbooks/log-analysis/2/?{urlencode(given)}"):
            code, asked = queries_of(client, path)
            assert code == 200, path
            if len(asked) > LIMIT:
                over[str(person), path] = asked
    assert not over, "\n".join(
        f"{len(asked)} {key}\n" + "\n".join(one[:230] for one in asked) for key, asked in over.items()
    )
