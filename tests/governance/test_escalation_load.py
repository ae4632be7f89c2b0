"""Ten thousand deadlines at once, and deadlines that meet a decision at the same moment."""

import time
from functools import partial

import pytest

from audit.models import Entry
from audit.verification import verify_all
from governance.choices import Decision
from governance.exceptions import AlreadyDecided, NotYourTurn
from governance.models import ApprovalRound, ApprovalStep
from governance.services.decide_step import decide_step
from governance.services.escalate import escalate_due_steps
from guardia.common.clock import now
from tests.factories import Tenant, let_pass, pending_step, proof_of
from tests.threads import race
from tickets.choices import Channel
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db(transaction=True)
MANY, RACES = 10_000, 100


def due_steps(tenant: Tenant, count: int) -> None:
    """Tasks of a tenant whose owner has let the time pass."""
    tasks = OpsTask.objects.bulk_create(
        OpsTask(
            task_id=f"OPS-20200101-{number:05}",
            institution=tenant.institution,
            system=tenant.system,
            requester=tenant.site_manager,
            channel=Channel.API,
            text="재기동해 주세요",
            status="PEN",
        )
        for number in range(count)
    )
    rounds = ApprovalRound.objects.bulk_create(
        ApprovalRound(task=task, number=1, policy="p", plan_digest="d" * 64) for task in tasks
    )
    ApprovalStep.objects.bulk_create(
        ApprovalStep(
            round=round_,
            order=1,
            role="OWNER",
            requester=tenant.site_manager,
            original_owner=tenant.owner,
            approver=tenant.owner,
            status="PENDING",
            due_at=now(),
        )
        for round_ in rounds
    )


@pytest.mark.slow
def test_ten_thousand_due_steps_are_carried_in_ten_seconds_each_level() -> None:
    tenant = Tenant(servers=1)
    due_steps(tenant, MANY)
    for level in range(3):
        ApprovalStep.objects.filter(status="PENDING").update(due_at=now())
        started = time.monotonic()
        assert escalate_due_steps() == MANY
        seconds = time.monotonic() - started
        print(f"level {level}: {MANY} due steps carried in {seconds:.1f} s")
        assert seconds < 60, "ten on a quiet machine"
    assert not ApprovalStep.objects.exclude(status="EXPIRED").exists()
    assert not OpsTask.objects.exclude(status="REJ").exists()
    assert all(report.is_intact for report in verify_all())


def test_of_a_decision_and_a_deadline_at_the_same_moment_one_counts() -> None:
    tenant = Tenant(servers=1)
    decided = 0
    for number in range(RACES):
        task, plan = tenant.planned()
        step = pending_step(task)
        let_pass(task)
        decide = partial(
            decide_step,
            proof=proof_of(tenant.owner),
            actor=tenant.owner,
            step_pk=step.pk,
            decision=Decision.APPROVE,
            digest=plan.digest,
            channel="api",
        )
        acts = [decide, escalate_due_steps]
        outcomes = race(acts[:: -1 if number % 2 else 1], errors=(AlreadyDecided, NotYourTurn))  # type: ignore[arg-type]
        step = ApprovalStep.objects.get(pk=step.pk)
        is_decided = any(isinstance(outcome, ApprovalStep) for outcome in outcomes)
        assert (step.status, step.approver) == (
            ("APPROVED", tenant.owner) if is_decided else ("PENDING", tenant.deputy)
        ), outcomes
        entries = Entry.objects.filter(task_id=task.task_id, action__in=["approval.approved", "approval.escalated"])
        assert entries.count() == 1, outcomes
        decided += is_decided
        OpsTask.objects.filter(pk=task.pk).update(status="REJ")  # out of the next sweep's way
    print(f"{decided} of {RACES} races were won by the decision")
    assert all(report.is_intact for report in verify_all())


def test_of_several_sweeps_at_once_each_deadline_fires_once() -> None:
    tenant = Tenant(servers=1)
    due_steps(tenant, 60)
    fired = race([partial(escalate_due_steps, 7) for _sweep in range(4)])
    assert sum(count for count in fired if isinstance(count, int)) + escalate_due_steps() == 60
    assert Entry.objects.filter(action="approval.escalated").count() == 60
    assert set(ApprovalStep.objects.values_list("escalation_level", flat=True)) == {1}
