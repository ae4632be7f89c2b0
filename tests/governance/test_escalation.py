"""Owner, deputy, supervisor, and then nobody: each with the whole time, and each deadline fires once."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from execution.plan.prepare import prepare_plan
from governance.exceptions import NotYourTurn, ViewerOnly
from governance.models import ApprovalRound, ApprovalStep, SystemOwner
from governance.services.absences import plan_absence
from governance.services.ask_requester import answer_question, ask_requester
from governance.services.escalate import escalate_due_steps
from guardia.common.clock import now
from notifications.models import Notification
from tests.factories import Tenant, approve, let_pass, make_user, pending_step
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def away(user: User, deputy: User | None = None) -> None:
    plan_absence(
        actor=user,
        starts_at=now() - timedelta(hours=1),
        ends_at=now() + timedelta(hours=1),
        reason="연가",
        deputy=deputy,
    )


def asked(task: OpsTask) -> tuple[int, User]:
    step = pending_step(task)
    return step.escalation_level, step.approver


def kinds(user: User) -> list[str]:
    return list(Notification.objects.filter(recipient=user).order_by("pk").values_list("kind", flat=True))


def minutes_left(task: OpsTask) -> float:
    step = ApprovalStep.objects.annotate(left=F("due_at") - Now()).get(round__task=task, status="PENDING")
    return float(step.left.total_seconds()) / 60


def test_a_silent_owner_then_a_silent_deputy_then_the_supervisor_who_is_marked_urgent() -> None:
    tenant = Tenant()
    SystemOwner.objects.update(sla_minutes=30)
    task, plan = tenant.planned()
    assert asked(task) == (0, tenant.owner) and 29 < minutes_left(task) <= 30
    # nothing is due
    with nothing_changes():
        assert escalate_due_steps() == 0
    # when the owner doesn't answer
    let_pass(task, 31)
    assert escalate_due_steps() == 1
    # then the deputy has the whole time, and the owner no say
    assert asked(task) == (1, tenant.deputy) and 29 < minutes_left(task) <= 30
    with nothing_changes(), pytest.raises(NotYourTurn, match=str(tenant.deputy)):
        approve(task, plan, tenant.owner)
    assert escalate_due_steps() == 0
    # when the deputy doesn't either
    let_pass(task, 31)
    assert escalate_due_steps() == 1
    step = pending_step(task)
    assert asked(task) == (2, tenant.supervisor) and step.is_urgent and step.original_owner == tenant.owner
    approve(task, plan, tenant.supervisor)
    assert kinds(tenant.owner) == ["approval_requested"]
    assert kinds(tenant.deputy) == ["approval_escalated"]
    assert kinds(tenant.supervisor) == ["approval_urgent"]
    assert pending_step(task).role == "PM"
    actions = [e.action for e in Entry.objects.filter(task_id=task.task_id, object_type="approvalstep").order_by("pk")]
    assert actions == ["approval.escalated", "approval.escalated", "approval.approved"]


def test_after_the_last_level_the_task_is_rejected_and_the_requester_told() -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    for _level in range(3):
        let_pass(task)
        assert escalate_due_steps() == 1
    task = OpsTask.objects.get(pk=task.pk)
    assert task.status == "REJ" and task.reason and task.closed_at is not None
    assert ApprovalRound.objects.get(task=task).status == "REJECTED"
    steps = ApprovalStep.objects.filter(round__task=task)
    assert [(s.status, s.decided_by, s.digest_seen) for s in steps] == [("EXPIRED", None, ""), ("VOID", None, "")]
    assert steps[0].decided_at is not None and steps[0].comment == task.reason
    told = tenant.site_manager.notifications.get()
    assert told.kind == "task_rejected" and task.reason in told.text
    entries = list(Entry.objects.filter(task_id=task.task_id).order_by("-pk")[:2])
    assert [(e.action, e.actor) for e in entries] == [("task.rejected", "guardia"), ("approval.expired", "guardia")]
    assert all(report.is_intact for report in verify_all())
    assert escalate_due_steps() == 0


@pytest.mark.parametrize("named", [True, False])
def test_an_absent_owners_step_goes_to_the_deputy_at_once_first_to_the_one_they_named(named: bool) -> None:
    tenant = Tenant()
    stand_in = make_user(Role.TEAM_LEAD, tenant.institution)
    away(tenant.owner, stand_in if named else None)
    task, _plan = tenant.planned()
    assert asked(task) == (1, stand_in if named else tenant.deputy)
    assert pending_step(task).original_owner == tenant.owner
    assert kinds(tenant.owner) == []


def test_who_may_not_is_skipped_at_every_level() -> None:
    def viewer(tenant: Tenant) -> None:
        Membership.objects.filter(user=tenant.deputy).update(authority=Authority.VIEWER)

    def gone(tenant: Tenant) -> None:
        User.objects.filter(pk=tenant.deputy.pk).update(is_active=False)

    def without_a_role(tenant: Tenant) -> None:
        Membership.objects.filter(user=tenant.deputy).delete()

    def absent(tenant: Tenant) -> None:
        away(tenant.deputy)

    for spoil in (viewer, gone, without_a_role, absent):
        tenant = Tenant()
        task, _plan = tenant.planned()
        spoil(tenant)
        let_pass(task)
        escalate_due_steps()
        assert asked(task) == (2, tenant.supervisor), spoil.__name__
    # the requester is skipped as well
    tenant = Tenant()
    task, _plan = tenant.planned(actor=tenant.deputy)
    let_pass(task)
    escalate_due_steps()
    assert asked(task) == (2, tenant.supervisor)


def test_everybody_away_rejects_at_once_and_nobody_is_asked() -> None:
    tenant = Tenant()
    for person in (tenant.owner, tenant.deputy, tenant.supervisor):
        away(person)
    task = tenant.file()
    prepare_plan(task.pk)
    assert OpsTask.objects.get(pk=task.pk).status == "REJ"
    assert [s.status for s in ApprovalStep.objects.filter(round__task=task)] == ["EXPIRED", "VOID"]


def test_a_pms_step_goes_to_the_next_pm_and_then_to_the_systems_supervisor() -> None:
    tenant = Tenant()
    second_pm = make_user(Role.PM, tenant.institution)
    task, plan = tenant.planned()
    approve(task, plan, tenant.owner)
    assert asked(task) == (0, tenant.pm)
    let_pass(task)
    escalate_due_steps()
    assert asked(task) == (1, second_pm)
    let_pass(task)
    escalate_due_steps()
    assert asked(task) == (2, tenant.supervisor)
    approve(task, plan, tenant.supervisor)
    assert OpsTask.objects.get(pk=task.pk).status == "APP"


def test_who_decided_one_step_is_not_asked_for_another() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    for _level in range(2):
        let_pass(task)
        escalate_due_steps()
    approve(task, plan, tenant.supervisor)
    let_pass(task)  # the only PM is silent, and the supervisor has had a say
    escalate_due_steps()
    assert OpsTask.objects.get(pk=task.pk).status == "REJ"


def test_a_viewer_who_was_asked_before_cannot_decide() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    Membership.objects.filter(user=tenant.owner).update(authority=Authority.VIEWER)
    with nothing_changes(), pytest.raises(ViewerOnly):
        approve(task, plan, tenant.owner)


def test_after_a_day_of_outage_each_due_step_fires_one_level_in_order() -> None:
    tenant = Tenant(servers=1)
    tasks = [tenant.planned()[0] for _number in range(5)]
    for hours, task in enumerate(tasks, start=24):
        let_pass(task, hours * 60)  # the last filed is the longest overdue
    assert escalate_due_steps() == 5
    assert escalate_due_steps() == 0
    assert [asked(task) for task in tasks] == [(1, tenant.deputy)] * 5
    fired = Entry.objects.filter(action="approval.escalated").order_by("pk").values_list("task_id", flat=True)
    assert list(fired) == [task.task_id for task in reversed(tasks)]


def test_a_sweep_asks_the_same_number_of_questions_however_much_is_due() -> None:
    tenant = Tenant(servers=1)

    def queries(count: int) -> int:
        tasks = [tenant.planned()[0] for _number in range(count)]
        for task in tasks:
            let_pass(task)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert escalate_due_steps() == count
        return len(captured)

    assert queries(1) == queries(6)


def test_an_absence_that_begins_after_the_asking_carries_the_step_on_at_its_start() -> None:
    tenant = Tenant()
    stand_in = make_user(Role.TEAM_LEAD, tenant.institution)
    task, plan = tenant.planned()
    begins = now() + timedelta(seconds=1.5)
    plan_absence(
        actor=tenant.owner, starts_at=begins, ends_at=begins + timedelta(days=1), reason="연가", deputy=stand_in
    )
    # before it begins, the owner is asked and may answer
    with nothing_changes():
        assert escalate_due_steps() == 0
    while now() <= begins:
        time.sleep(0.05)
    # from then on, the next sweep asks the one they named; not once more
    assert escalate_due_steps() == 1
    assert asked(task) == (1, stand_in) and 9 < minutes_left(task) <= 10
    assert kinds(stand_in) == ["approval_escalated"]
    with nothing_changes():
        assert escalate_due_steps() == 0
    approve(task, plan, stand_in)
    assert pending_step(task).role == "PM"


def test_whoever_has_left_is_not_waited_for() -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    User.objects.filter(pk=tenant.owner.pk).update(is_active=False)
    assert escalate_due_steps() == 1 and asked(task) == (1, tenant.deputy)


def test_an_absence_of_the_last_one_waits_for_the_deadline() -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    for _level in range(2):
        let_pass(task)
        escalate_due_steps()
    away(tenant.supervisor)
    with nothing_changes():  # they may come back in time
        assert escalate_due_steps() == 0
    let_pass(task)
    assert escalate_due_steps() == 1 and OpsTask.objects.get(pk=task.pk).status == "REJ"


def test_while_the_requester_is_asked_an_absence_changes_nothing_yet() -> None:
    tenant = Tenant()
    task, _plan = tenant.planned()
    ask_requester(actor=tenant.owner, step_pk=pending_step(task).pk, question="언제요?")
    away(tenant.owner)
    with nothing_changes():
        assert escalate_due_steps() == 0
    answer_question(actor=tenant.site_manager, task_id=task.task_id, answer="오늘 밤")
    assert escalate_due_steps() == 1 and asked(task) == (1, tenant.deputy)
