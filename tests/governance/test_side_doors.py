"""Ways around the chain that look like something else, each closed: a viewer's other acts, an administrator who makes
themselves the one who is asked, a requester who lifts the window, a role that was lost after the escalation."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from execution.models import Run
from execution.rollout.resume_run import resume_run
from execution.rollout.start_run import start_run
from governance.choices import Decision, ReviewDecision
from governance.exceptions import NotEligible, NotYourTurn, SecondApproval, SelfApproval
from governance.models import ApprovalStep, SystemOwner
from governance.selectors import policy_officers, tasks_to_validate
from governance.services.absences import end_absence, plan_absence, plan_absence_for
from governance.services.ask_requester import ask_requester
from governance.services.close_task import close_by_hand, close_not_done
from governance.services.escalate import escalate_due_steps
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.name_owner import name_owner
from governance.services.plan_again import plan_again
from governance.services.reassign_step import reassign_step
from governance.services.release_task import release_task
from governance.services.standing_approvals import standing_for
from governance.services.take_over import take_over
from governance.services.validate_result import validate_result
from guardia.common.clock import now
from guardia.common.errors import NotPermitted
from tests.factories import Tenant, approve, let_pass, make_user, pending_step, stand
from tests.governance.hours import freeze
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db
Act = Callable[[], Any]


@pytest.fixture
def tenant() -> Tenant:
    return Tenant(servers=1)


def task_in(tenant: Tenant, status: str, **fields: Any) -> str:
    task, _plan = tenant.planned()
    OpsTask.objects.filter(pk=task.pk).update(status=status, **fields)
    return task.task_id


def on_task(service: Callable[..., Any], status: str, **given: Any) -> Callable[[Tenant], tuple[User, Act]]:
    def prepare(tenant: Tenant) -> tuple[User, Act]:
        task_id = task_in(tenant, status, is_held=True)
        return tenant.pm, lambda: service(actor=tenant.pm, task_id=task_id, **given)

    return prepare


def granting(tenant: Tenant) -> tuple[User, Act]:
    task_id, frozen = task_in(tenant, "PEN"), freeze(tenant.institution)
    row = request_freeze_exception(actor=tenant.site_manager, task_id=task_id, freeze_pk=frozen.pk, reason="급함")
    given = {"task_id": task_id, "exception_pk": row.pk, "decision": Decision.APPROVE}
    return tenant.security, lambda: decide_freeze_exception(actor=tenant.security, **given)  # type: ignore[arg-type]


VIEWERS = {
    "validates": on_task(validate_result, "VAL", decision=ReviewDecision.ACCEPT),
    "closes": on_task(close_not_done, "ERR", reason="취소"),
    "accepts": on_task(close_by_hand, "MAN"),
    "plans again": on_task(plan_again, "ERR", reason="다시"),
    "takes over": on_task(take_over, "ERR", reason="직접"),
    "starts": on_task(release_task, "APP"),
    "grants an exception": granting,
    "approves beforehand": lambda tenant: (tenant.owner, lambda: stand(tenant)),
}


@pytest.mark.parametrize("name", VIEWERS)
def test_who_only_looks_on_decides_nothing_anywhere(tenant: Tenant, name: str) -> None:
    person, act = VIEWERS[name](tenant)
    Membership.objects.filter(user=person).update(authority=Authority.VIEWER)
    with nothing_changes(), pytest.raises(NotPermitted):
        act()


def test_a_viewer_is_shown_no_results_to_judge_and_is_no_officer_of_policies(tenant: Tenant) -> None:
    task_in(tenant, "VAL")
    officer = make_user(Role.SECURITY_OFFICER)
    assert tasks_to_validate(tenant.pm).exists() and officer in policy_officers()
    Membership.objects.update(authority=Authority.VIEWER)
    assert not tasks_to_validate(tenant.pm).exists() and officer not in policy_officers()


def test_what_somebody_gave_before_they_became_a_viewer_counts_no_more(tenant: Tenant) -> None:
    stand(tenant)
    task, _plan = tenant.planned()
    OpsTask.objects.filter(pk=task.pk).update(sub_type="SERVICE_RESTART", risk=1)
    ApprovalStep.objects.filter(round__task=task).update(needs_reauthentication=False)
    step = ApprovalStep.objects.select_related("round__task").get(pk=pending_step(task).pk)
    assert standing_for(step) is not None
    Membership.objects.filter(user=tenant.owner).update(authority=Authority.VIEWER)
    assert standing_for(step) is None


def test_an_administrator_does_not_make_themselves_the_one_who_is_asked(tenant: Tenant) -> None:
    administrator = make_user(Role.ADMINISTRATOR, tenant.institution)
    for person in ("owner", "deputy", "supervisor"):
        named = {"owner": tenant.owner, "deputy": tenant.deputy, "supervisor": tenant.supervisor, person: administrator}
        with nothing_changes(), pytest.raises(NotPermitted):
            name_owner(actor=administrator, system=tenant.system, **named)  # type: ignore[arg-type]
    with nothing_changes(), pytest.raises(NotPermitted):
        plan_absence_for(
            actor=administrator,
            user=tenant.owner,
            deputy=administrator,
            starts_at=now(),
            ends_at=now() + timedelta(hours=1),
            reason="사고",
        )


def test_a_pm_does_not_lift_the_window_for_their_own_request(tenant: Tenant) -> None:
    task, _plan = tenant.approved()
    run = start_run(task.pk)
    assert run is not None
    Run.objects.filter(pk=run.pk).update(held_at=now(), held_because="창 닫힘")
    OpsTask.objects.filter(pk=task.pk).update(requester=tenant.pm)
    with nothing_changes(), pytest.raises(SelfApproval):
        resume_run(actor=tenant.pm, task_id=task.task_id, reason="계속")
    assert resume_run(actor=make_user(Role.PM, tenant.institution), task_id=task.task_id, reason="계속").resumed_by


def escalated(tenant: Tenant) -> tuple[OpsTask, Any]:
    task, plan = tenant.planned()
    let_pass(task)
    escalate_due_steps()
    assert pending_step(task).approver == tenant.deputy
    return task, plan


def test_who_loses_the_role_after_the_escalation_decides_no_more(tenant: Tenant) -> None:
    task, plan = escalated(tenant)
    SystemOwner.objects.update(deputy=None)
    Membership.objects.filter(user=tenant.deputy).update(role=Role.SITE_MANAGER)
    with nothing_changes(), pytest.raises(NotYourTurn) as refused:
        approve(task, plan, tenant.deputy)
    assert refused.value.code == "role_lost" and str(tenant.owner) in str(refused.value)
    let_pass(task)
    escalate_due_steps()
    assert pending_step(task).approver == tenant.supervisor, "and the step goes on"


def test_whom_an_absent_owner_named_still_decides_when_the_owner_is_back(tenant: Tenant) -> None:
    stand_in = make_user(Role.OPERATOR, tenant.institution)
    absence = plan_absence(
        actor=tenant.owner,
        starts_at=now() - timedelta(hours=1),
        ends_at=now() + timedelta(hours=1),
        reason="연가",
        deputy=stand_in,
    )
    task, plan = tenant.planned()
    assert pending_step(task).approver == stand_in
    end_absence(actor=tenant.owner, absence_pk=absence.pk)
    assert approve(task, plan, stand_in).status == "APPROVED"


def test_a_supervisor_decides_a_pms_step_and_no_second_one(tenant: Tenant) -> None:
    task, plan = tenant.planned()
    for _level in range(2):
        let_pass(task)
        escalate_due_steps()
    approve(task, plan, tenant.supervisor)
    ApprovalStep.objects.filter(pk=pending_step(task).pk).update(approver=tenant.supervisor, escalation_level=2)
    with nothing_changes(), pytest.raises(SecondApproval):
        approve(task, plan, tenant.supervisor)


def test_a_question_of_somebody_who_left_does_not_stop_the_clock_for_ever(tenant: Tenant) -> None:
    task, _plan = tenant.planned()
    ask_requester(actor=tenant.owner, step_pk=pending_step(task).pk, question="언제?")
    with nothing_changes():
        assert escalate_due_steps() == 0, "while the approver is there, the answer is waited for"
    User.objects.filter(pk__in=[tenant.owner.pk, tenant.site_manager.pk]).update(is_active=False)
    assert escalate_due_steps() == 1
    assert pending_step(task).approver == tenant.deputy and pending_step(task).due_at is not None


def away(user: User, deputy: User | None = None) -> None:
    plan_absence(
        actor=user,
        starts_at=now() - timedelta(hours=1),
        ends_at=now() + timedelta(hours=1),
        reason="연가",
        deputy=deputy,
    )


def decided_by_the_supervisor(tenant: Tenant) -> OpsTask:
    task, plan = tenant.planned()
    for _level in range(2):
        let_pass(task)
        escalate_due_steps()
    approve(task, plan, tenant.supervisor)
    return task


def test_a_requester_whom_the_absent_owner_named_is_not_asked(tenant: Tenant) -> None:
    away(tenant.owner, tenant.deputy)
    task, _plan = tenant.planned(actor=tenant.deputy)
    assert pending_step(task).approver == tenant.supervisor


def test_who_has_decided_a_step_is_not_asked_for_the_next_even_if_nobody_else_is_there(tenant: Tenant) -> None:
    away(tenant.pm)
    task = decided_by_the_supervisor(tenant)
    assert OpsTask.objects.get(pk=task.pk).status == "REJ"


def test_a_step_is_handed_neither_to_the_requester_nor_to_who_has_decided(tenant: Tenant) -> None:
    own, _plan = tenant.planned(actor=tenant.deputy)
    with nothing_changes(), pytest.raises(NotEligible):
        reassign_step(actor=tenant.owner, step_pk=pending_step(own).pk, to=tenant.deputy, reason="출장")
    task = decided_by_the_supervisor(tenant)
    with nothing_changes(), pytest.raises(NotEligible):
        reassign_step(actor=tenant.pm, step_pk=pending_step(task).pk, to=tenant.supervisor, reason="출장")
