"""Withdraw, file again, hand over, ask, answer: by whom, from where, and what everybody else is told."""

from typing import Any

import pytest
from django.utils import translation

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from execution.plan.prepare import prepare_plan
from execution.rollout.start_run import start_run
from governance.exceptions import AlreadyAsked, NotEligible, NothingAsked, NotYourTurn, ReasonMissing
from governance.models import ApprovalRound, ApprovalStep
from governance.services.ask_requester import answer_question, ask_requester
from governance.services.escalate import escalate_due_steps
from governance.services.reassign_step import reassign_step
from governance.services.withdraw_task import withdraw_task
from guardia.common.errors import NotPermitted, NotVisible, StaleState
from notifications.models import Notification
from tests.factories import Tenant, approve, let_pass, make_user, pending_step
from tests.snapshot import nothing_changes
from tickets.exceptions import NotInThatState
from tickets.models import OpsTask
from tickets.services.resubmit_task import resubmit_task

pytestmark = pytest.mark.django_db


def kinds(user: User) -> list[str]:
    return list(Notification.objects.filter(recipient=user).order_by("pk").values_list("kind", flat=True))


def test_a_task_that_waits_is_withdrawn_and_its_round_void() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    approve(task, plan, tenant.owner)
    withdraw_task(actor=tenant.site_manager, task_id=task.task_id, reason="일정 변경")
    task = OpsTask.objects.get(pk=task.pk)
    assert (task.status, task.reason) == ("WDR", "일정 변경") and task.closed_at is not None
    assert ApprovalRound.objects.get(task=task).status == "VOID"
    assert [s.status for s in ApprovalStep.objects.filter(round__task=task)] == ["APPROVED", "VOID"]
    assert kinds(tenant.owner)[-1] == kinds(tenant.pm)[-1] == "task_withdrawn"
    with nothing_changes():
        assert prepare_plan(task.pk) is None and start_run(task.pk) is None and escalate_due_steps() == 0


def test_from_every_state_before_the_run_and_from_no_later_one() -> None:
    tenant = Tenant()
    asking, filed = tenant.file(text=tenant.system.name), tenant.file()
    approved, _plan = tenant.approved()
    for task in (asking, filed, approved):
        withdraw_task(actor=tenant.site_manager, task_id=task.task_id)
        assert OpsTask.objects.get(pk=task.pk).status == "WDR"
    for status in ("EXE", "VAL", "COM", "ERR", "MAN", "REJ", "WDR"):
        task = tenant.file()
        OpsTask.objects.filter(pk=task.pk).update(status=status)
        with nothing_changes(), pytest.raises(NotInThatState):
            withdraw_task(actor=tenant.site_manager, task_id=task.task_id)


def test_what_was_rejected_or_withdrawn_is_filed_again_for_a_new_round() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    approve(task, plan, tenant.owner, "REJECT", "다음 주에")  # type: ignore[arg-type]
    for number in (2, 3):
        resubmit_task(actor=tenant.site_manager, task_id=task.task_id, reason="다음 주입니다")
        assert OpsTask.objects.get(pk=task.pk).status == "PAR"
        prepare_plan(task.pk)
        saved = OpsTask.objects.get(pk=task.pk)
        assert (saved.status, saved.closed_at) == ("PEN", None)
        assert [round_.number for round_ in ApprovalRound.objects.filter(task=task)] == list(range(1, number + 1))
        assert pending_step(task).approver == tenant.owner
        withdraw_task(actor=tenant.site_manager, task_id=task.task_id)
    # what never had all it needs asks again
    asking = tenant.file(text=tenant.system.name)
    withdraw_task(actor=tenant.site_manager, task_id=asking.task_id)
    assert resubmit_task(actor=tenant.site_manager, task_id=asking.task_id).status == "INF"
    with nothing_changes(), pytest.raises(NotInThatState):
        resubmit_task(actor=tenant.site_manager, task_id=asking.task_id)


def test_a_step_is_handed_to_somebody_who_may_decide_it() -> None:
    tenant, stranger = Tenant(), Tenant()
    colleague = make_user(Role.TEAM_LEAD, tenant.institution)
    task, plan = tenant.planned()
    let_pass(task, 9)
    step = pending_step(task)
    for to in (tenant.owner, tenant.site_manager, tenant.pm, stranger.owner):
        with nothing_changes(), pytest.raises(NotEligible, match=str(colleague)):
            reassign_step(actor=tenant.owner, step_pk=step.pk, to=to, reason="출장")
    with nothing_changes(), pytest.raises(ReasonMissing):
        reassign_step(actor=tenant.owner, step_pk=step.pk, to=colleague, reason=" ")
    before = step.due_at
    step = reassign_step(actor=tenant.owner, step_pk=step.pk, to=colleague, reason="출장")
    assert (step.approver, step.original_owner, step.escalation_level) == (colleague, tenant.owner, 0)
    assert step.due_at is not None and before is not None and step.due_at > before, "with the whole time"
    assert kinds(colleague) == ["approval_reassigned"]
    with nothing_changes(), pytest.raises(NotYourTurn, match=str(colleague)):
        approve(task, plan, tenant.owner)
    approve(task, plan, colleague)


def test_a_question_stops_the_clock_until_the_requester_answers() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    step = pending_step(task)
    ask_requester(actor=tenant.owner, step_pk=step.pk, question="점검 시간은?")
    assert pending_step(task).due_at is None and kinds(tenant.site_manager) == ["question_asked"]
    let_pass(task, 10_000)
    assert escalate_due_steps() == 0
    with nothing_changes(), pytest.raises(AlreadyAsked, match=str(tenant.site_manager)):
        ask_requester(actor=tenant.owner, step_pk=step.pk, question="그리고?")
    with nothing_changes(), pytest.raises(NotPermitted, match=str(tenant.site_manager)):
        answer_question(actor=tenant.pm, task_id=task.task_id, answer="모름")
    with nothing_changes(), pytest.raises(ReasonMissing):
        answer_question(actor=tenant.site_manager, task_id=task.task_id, answer="")
    answer_question(actor=tenant.site_manager, task_id=task.task_id, answer="02시")
    assert pending_step(task).due_at is not None and kinds(tenant.owner)[-1] == "question_answered"
    with nothing_changes(), pytest.raises(NothingAsked):
        answer_question(actor=tenant.site_manager, task_id=task.task_id, answer="02시")
    approve(task, plan, tenant.owner)
    actions = Entry.objects.filter(action__startswith="approval.question").values_list("action", flat=True)
    assert sorted(actions) == ["approval.question_answered", "approval.question_asked"]


def test_who_may_not_is_told_who_could() -> None:
    tenant, stranger = Tenant(), Tenant()
    task, _plan = tenant.planned()
    task_id, step = task.task_id, pending_step(task).pk
    acts: list[tuple[Any, dict[str, Any], User]] = [
        (withdraw_task, {"task_id": task_id}, tenant.site_manager),
        (resubmit_task, {"task_id": task_id}, tenant.site_manager),
        (answer_question, {"task_id": task_id, "answer": "?"}, tenant.site_manager),
        (reassign_step, {"step_pk": step, "to": tenant.deputy, "reason": "?"}, tenant.owner),
        (ask_requester, {"step_pk": step, "question": "?"}, tenant.owner),
    ]
    for act, given, who in acts:
        for actor in (tenant.pm, tenant.deputy, tenant.security):
            with nothing_changes(), translation.override("en"), pytest.raises(NotPermitted, match=str(who)):
                act(actor=actor, **given)
        with nothing_changes(), pytest.raises(NotVisible):
            act(actor=stranger.owner, **given)
    waiting = ApprovalStep.objects.get(round__task=task, role="PM").pk
    with nothing_changes(), pytest.raises(StaleState):
        ask_requester(actor=tenant.pm, step_pk=waiting, question="?")
