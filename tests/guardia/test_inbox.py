"""The inbox and the other doors of approvals: like tasks in one go, each decided by itself; acts on the task's page."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from governance.models import Absence, ApprovalStep, SystemOwner
from guardia.portal.inbox import SHOWN
from tests.doors import browser
from tests.factories import PASSWORD, Tenant, due_steps, make_system, make_user, pending_step
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def choice(task: OpsTask) -> str:
    step = pending_step(task)
    return f"{step.pk}:{step.round.plan_digest}"


def approve_many(client: Client, *choices: str) -> Any:
    return client.post("/inbox/approve/", {"step": choices, "words": "확인", "password": PASSWORD})


def test_like_tasks_are_approved_together_and_each_outcome_is_told() -> None:
    tenant = Tenant(servers=1)
    tasks = [tenant.planned()[0] for _number in range(3)]
    client = browser(tenant.owner, "ko")
    page = client.get("/inbox/").content.decode()
    assert all(choice(task) in page and task.task_id in page for task in tasks), "each with its digest"
    stale = choice(tasks[2]).partition(":")[0] + ":" + "0" * 64
    response = approve_many(client, choice(tasks[0]), choice(tasks[1]), stale)
    assert response.status_code == 200
    assert response.content.decode().count('data-status="APPROVED"') == 2
    first = [ApprovalStep.objects.get(round__task=task, order=1) for task in tasks]
    assert [(step.status, step.comment) for step in first] == [("APPROVED", "확인")] * 2 + [("PENDING", "")]
    with nothing_changes():
        assert 'data-status="REJECTED"' in approve_many(client, f"{first[0].pk}:{'0' * 64}").content.decode()


def test_unlike_tasks_and_nothing_at_all_are_refused() -> None:
    tenant = Tenant(servers=1)
    task, other = tenant.planned()[0], tenant.planned()[0]
    elsewhere = make_system(tenant.institution)
    SystemOwner.objects.create(system=elsewhere, owner=tenant.owner)
    OpsTask.objects.filter(pk=other.pk).update(system=elsewhere)
    client = browser(tenant.owner)
    with nothing_changes():
        for choices in ((choice(task), choice(other)), (), ("1",), ("x:y",), (f"{10**30}:{'0' * 64}",)):
            assert approve_many(client, *choices).status_code == 400, choices
        assert approve_many(client, f"{10**17}:{'0' * 64}").status_code == 404


def test_the_inbox_asks_few_questions_however_much_waits() -> None:
    tenant = Tenant(servers=1)

    def queries() -> int:
        client = browser(tenant.owner)
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/inbox/").status_code == 200
        return len([q for q in captured if "session" not in q["sql"]])

    tenant.planned()
    few = queries()
    for _number in range(4):
        tenant.planned()
    assert queries() == few <= 20


def test_the_inbox_has_pages_and_no_more_than_one_is_approved_in_one_go() -> None:
    tenant = Tenant(servers=1)
    steps = due_steps(tenant, SHOWN + 3)
    client = browser(tenant.owner)
    first, second = (client.get(f"/inbox/?page={number}").content.decode() for number in (1, 2))
    shown = [[f'value="{step.pk}:' in page for step in steps] for page in (first, second)]
    assert shown[0] == [True] * SHOWN + [False] * 3 and shown[1] == [False] * SHOWN + [True] * 3
    assert f">{SHOWN + 3}</span>" in first and 'href="?page=2"' in first and 'href="?page=1"' in second
    with nothing_changes():
        choices = [f"{step.pk}:{'0' * 64}" for step in steps]
        answer = approve_many(client, *choices).content.decode()
    assert answer.count('data-status="REJECTED"') == SHOWN


def test_the_acts_of_a_tasks_page() -> None:
    tenant = Tenant(servers=1)
    task, _plan = tenant.planned()
    here, step = f"/tasks/{task.task_id}/", pending_step(task).pk
    owner, requester = browser(tenant.owner, "ko"), browser(tenant.site_manager, "ko")
    page = owner.get(here).content.decode()
    assert f"{here}ask/{step}/" in page and f"{here}reassign/{step}/" in page and str(tenant.deputy) in page
    assert f"{here}withdraw/" not in page
    assert owner.post(f"{here}ask/{step}/", {"words": "언제?"}).status_code == 302
    page = requester.get(here).content.decode()
    assert "언제?" in page and f"{here}answer/" in page and f"{here}withdraw/" in page
    assert requester.post(f"{here}answer/", {"words": "밤에"}).status_code == 302
    assert owner.post(f"{here}reassign/{step}/", {"to": tenant.site_manager.pk, "words": "출장"}).status_code == 403
    assert owner.post(f"{here}reassign/{step}/", {"to": tenant.deputy.pk, "words": "출장"}).status_code == 302
    assert pending_step(task).approver == tenant.deputy
    assert owner.post(f"{here}withdraw/").status_code == 403
    assert requester.post(f"{here}withdraw/", {"words": ""}).status_code == 302
    assert f"{here}resubmit/" in requester.get(here).content.decode()
    assert requester.post(f"{here}resubmit/").status_code == 302
    assert OpsTask.objects.get(pk=task.pk).status == "PAR"


def test_absences_are_entered_and_ended_on_their_page() -> None:
    tenant = Tenant(servers=1)
    client = browser(tenant.owner, "ko")
    form: dict[str, Any] = {"starts_at": "2099-01-01T09:00", "ends_at": "2099-01-02T18:00"}
    form |= {"reason": "연가", "deputy": tenant.deputy.pk}
    assert client.post("/absence/", {**form, "ends_at": "2098-01-01T09:00"}).status_code == 400
    assert client.post("/absence/", form).status_code == 302
    absence = Absence.objects.get()
    assert f"{absence.starts_at:%Y-%m-%d %H:%M}" == "2099-01-01 00:00", "nine in Seoul"
    assert "연가" in client.get("/absence/").content.decode()
    assert client.post(f"/absence/{absence.pk}/end/").status_code == 302
    assert not Absence.objects.get().is_open


def test_administrators_see_who_answers_and_enter_an_emergency() -> None:
    tenant = Tenant(servers=1)
    admin = make_user(Role.ADMINISTRATOR, tenant.institution)
    SystemOwner.objects.filter(system=tenant.system).update(deputy=None)
    client = browser(admin, "ko")
    assert tenant.system.name in client.get("/authority/").content.decode()
    form = {"user": tenant.owner.pk, "starts_at": "2099-01-01T09:00", "ends_at": "2099-01-02T18:00", "reason": "사고"}
    assert client.post("/authority/", {**form, "user": Tenant(servers=1).owner.pk}).status_code == 400
    assert client.post("/authority/", form).status_code == 302
    assert Absence.objects.get().user == tenant.owner
    assert browser(tenant.pm).get("/authority/").status_code == 403
    assert browser(tenant.pm).post("/authority/", form).status_code == 403
