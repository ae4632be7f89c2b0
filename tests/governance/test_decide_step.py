"""The approvals of one deployment: the owner, then the PM; and everybody who may not."""

import pytest
from django.utils import translation

from accounts.models import User
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from execution.plan.prepare import prepare_plan
from governance.choices import Decision
from governance.models import ApprovalRound, ApprovalStep, SystemOwner
from governance.selectors import approved_digest, steps_awaiting
from governance.services.decide_step import decide_step
from guardia.common.errors import GuardiaError
from tests.audit.words import body_of_entry
from tests.factories import Tenant, approve, pending_step, proof_of
from tests.queue import run_queue, waiting
from tests.snapshot import nothing_changes
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


def decide(actor: User, step: ApprovalStep, digest: str, decision: str = "APPROVE", comment: str = "") -> ApprovalStep:
    return decide_step(
        actor=actor,
        step_pk=step.pk,
        decision=Decision(decision),
        digest=digest,
        channel="api",
        comment=comment,
        proof=proof_of(actor),
    )


def refused(actor: User, step: ApprovalStep, digest: str, decision: str = "APPROVE", comment: str = "") -> GuardiaError:
    """The error, after proving that nothing changed."""
    with nothing_changes(), pytest.raises(GuardiaError) as error:
        decide(actor, step, digest, decision, comment)
    return error.value


@pytest.mark.django_db(transaction=True)
def test_the_owner_then_the_pm_approve_and_the_run_is_asked_for() -> None:
    # given
    tenant = Tenant()
    task, plan = tenant.planned()
    first, second = ApprovalStep.objects.filter(round__task=task)
    assert [(s.role, s.approver, s.status) for s in (first, second)] == [
        ("OWNER", tenant.owner, "PENDING"),
        ("PM", tenant.pm, "WAITING"),
    ]
    # when
    run_queue()
    approve(task, plan, tenant.owner, comment="확인했습니다")
    # then
    first, second = ApprovalStep.objects.filter(round__task=task)
    assert (first.status, first.decided_by, first.digest_seen) == ("APPROVED", tenant.owner, plan.digest)
    assert (first.requester, first.original_owner, first.decided_in) == (tenant.site_manager, tenant.owner, "api")
    assert second.status == "PENDING" and second.asked_at is not None
    assert [n.kind for n in tenant.pm.notifications.all()] == ["approval_requested"]
    assert OpsTask.objects.get(pk=task.pk).status == "PEN" and approved_digest(task) is None
    # when
    approve(task, plan, tenant.pm)
    # then
    task = OpsTask.objects.get(pk=task.pk)
    assert task.status == "APP" and approved_digest(task) == plan.digest
    actions = list(Entry.objects.filter(task_id=task.task_id).order_by("pk").values_list("action", flat=True))
    assert actions == [
        "task.received",
        "task.parsed",
        "task.submitted",
        "approval.approved",
        "approval.approved",
        "task.approved",
    ]
    told = body_of_entry(Entry.objects.filter(action="approval.approved").earliest("pk"))
    assert told["summary"] == "확인했습니다" and told["facts"]["plan_digest"] == plan.digest
    assert all(report.is_intact for report in verify_all())
    assert waiting() == [("execution.tasks.start_run", (task.pk,))]


@pytest.mark.parametrize("comment", ["일정이 겹칩니다", "no"])
def test_a_rejection_ends_the_round_and_tells_the_requester(comment: str) -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    approve(task, plan, tenant.owner, Decision.REJECT, comment)
    task = OpsTask.objects.get(pk=task.pk)
    assert (task.status, task.reason) == ("REJ", comment) and task.closed_at is not None
    assert ApprovalRound.objects.get(task=task).status == "REJECTED"
    assert [s.status for s in ApprovalStep.objects.filter(round__task=task)] == ["REJECTED", "VOID"]
    told = tenant.site_manager.notifications.get()
    assert told.kind == "task_rejected" and comment in told.text


def test_the_requester_never_approves_even_as_owner_or_as_the_one_who_is_asked() -> None:
    tenant = Tenant()
    # the owner files: the deputy is asked instead, and the owner stays refused
    task, plan = tenant.planned(actor=tenant.owner)
    step = pending_step(task)
    assert step.approver == tenant.deputy
    assert refused(tenant.owner, step, plan.digest).code == "self_approval"
    # owner and deputy are one person: nobody is left to be asked
    SystemOwner.objects.update(deputy=tenant.owner, supervisor=None)
    other = tenant.file(actor=tenant.owner)
    assert prepare_plan(other.pk) is None
    assert OpsTask.objects.get(pk=other.pk).status == "MAN"
    # a deputy who files is skipped as well
    SystemOwner.objects.update(owner=tenant.deputy, deputy=tenant.owner)
    task, plan = tenant.planned(actor=tenant.deputy)
    assert pending_step(task).approver == tenant.owner
    assert refused(tenant.deputy, pending_step(task), plan.digest).code == "self_approval"


def test_who_is_not_asked_is_refused_and_told_who_is() -> None:
    tenant, stranger = Tenant(), Tenant()
    task, plan = tenant.planned()
    first, second = ApprovalStep.objects.filter(round__task=task)
    cases: list[tuple[User, ApprovalStep, str, int]] = [
        (tenant.pm, first, "not_your_turn", 403),
        (tenant.pm, second, "not_its_turn", 403),
        (tenant.deputy, first, "not_your_turn", 403),
        (tenant.security, first, "not_your_turn", 403),
        (tenant.owner, second, "not_your_turn", 403),
        (tenant.site_manager, first, "self_approval", 403),
        (stranger.owner, first, "not_found", 404),
        (stranger.pm, second, "not_found", 404),
    ]
    for actor, step, code, status in cases:
        error = refused(actor, step, plan.digest)
        assert (error.code, error.http_status) == (code, status), actor
        if code == "not_your_turn":
            assert str(step.approver) in str(error)


def test_a_step_is_decided_once() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    step = pending_step(task)
    approve(task, plan, tenant.owner)
    for actor in (tenant.owner, tenant.pm):
        for decision in Decision.values:
            with translation.override("en"):
                error = refused(actor, step, plan.digest, decision, "again")
            assert (error.code, error.http_status) == ("already_decided", 409)
            assert str(error) == f"Already decided by {tenant.owner}."


def test_one_person_decides_one_step_of_a_task() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    approve(task, plan, tenant.owner)
    ApprovalStep.objects.filter(round__task=task, order=2).update(approver=tenant.owner)
    error = refused(tenant.owner, pending_step(task), plan.digest)
    assert (error.code, error.http_status) == ("second_approval", 403)


@pytest.mark.parametrize(
    ("digest", "decision", "comment", "code", "status"),
    [
        ("0" * 64, "APPROVE", "", "digest_changed", 409),
        ("", "APPROVE", "", "digest_changed", 409),
        ("0" * 64, "REJECT", "no", "digest_changed", 409),
        (None, "REJECT", "", "reason_missing", 400),
        (None, "REJECT", " \n\t ", "reason_missing", 400),
    ],
)
def test_a_decision_needs_the_plan_that_waits_and_a_rejection_its_reason(
    digest: str | None, decision: str, comment: str, code: str, status: int
) -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    error = refused(tenant.owner, pending_step(task), plan.digest if digest is None else digest, decision, comment)
    assert (error.code, error.http_status) == (code, status)


def test_who_left_decides_nothing() -> None:
    tenant = Tenant()
    task, plan = tenant.planned()
    step = pending_step(task)
    seen_before = User.objects.get(pk=tenant.owner.pk)
    User.objects.filter(pk=tenant.owner.pk).update(is_active=False)
    # whoever reads the user again is refused
    assert refused(User.objects.get(pk=tenant.owner.pk), step, plan.digest).http_status == 404
    assert not steps_awaiting(User.objects.get(pk=tenant.owner.pk)).exists()
    assert seen_before.is_active
