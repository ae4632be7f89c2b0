"""Ten thousand deadlines at once, and deadlines that meet a decision at the same moment."""

import logging
import time
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from audit.models import Entry
from audit.verifying.all_chains import verify_all
from governance.choices import Decision
from governance.exceptions import AlreadyDecided, NotYourTurn
from governance.models import ApprovalStep
from governance.services.decide_step import decide_step
from governance.services.escalate import escalate_due_steps
from guardia.common.clock import now
from tests.factories import Tenant, due_steps, let_pass, pending_step, proof_of
from tests.threads import race
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 10_000


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


@pytest.mark.parametrize("races", [24, pytest.param(100, marks=pytest.mark.slow)])
def test_of_a_decision_and_a_deadline_at_the_same_moment_one_counts(races: int) -> None:
    tenant = Tenant(servers=1)
    decided = 0
    for number in range(races):
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
    print(f"{decided} of {races} races were won by the decision")
    assert all(report.is_intact for report in verify_all())


def test_of_several_sweeps_at_once_each_deadline_fires_once() -> None:
    tenant = Tenant(servers=1)
    due_steps(tenant, 60)
    fired = race([partial(escalate_due_steps, 7) for _sweep in range(4)])
    assert sum(count for count in fired if isinstance(count, int)) + escalate_due_steps() == 60
    assert Entry.objects.filter(action="approval.escalated").count() == 60
    assert set(ApprovalStep.objects.values_list("escalation_level", flat=True)) == {1}


def test_one_step_that_fails_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    tenants = [Tenant(servers=1), Tenant(servers=1)]
    steps = [step for tenant in tenants for step in due_steps(tenant, 9)]
    for minutes, step in enumerate(steps):  # the last filed is due first
        ApprovalStep.objects.filter(pk=step.pk).update(due_at=now() - timedelta(minutes=1 + minutes))
    broken = steps[4]
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE governance_approvalstep ADD CONSTRAINT broken CHECK (id <> %s OR escalation_level = 0)",
            [broken.pk],
        )
    try:
        with caplog.at_level(logging.ERROR):
            assert escalate_due_steps(batch=7) == 17
            assert escalate_due_steps() == 0, "it is tried again, alone"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE governance_approvalstep DROP CONSTRAINT broken")
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"Approval step {broken.pk} could not be escalated."] * 2
    for tenant in tenants:
        entries = Entry.objects.filter(chain__key=f"institution:{tenant.institution.code}", action="approval.escalated")
        mine = [str(step.pk) for step in steps if step.round.task.system_id == tenant.system.pk and step != broken]
        assert list(entries.order_by("number").values_list("object_id", flat=True)) == mine[::-1], "oldest first"
        assert tenant.deputy.notifications.count() == len(mine)
    assert all(report.is_intact for report in verify_all())
    # mended, it goes on by itself
    assert escalate_due_steps() == 1
    assert set(ApprovalStep.objects.values_list("escalation_level", flat=True)) == {1}
