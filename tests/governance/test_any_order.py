"""Delegations, absences, timeouts and decisions in any order: what must hold holds after each; no dead end."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from accounts.choices import Role
from accounts.models import User
from execution.plan.prepare import prepare_plan
from governance.choices import Decision
from governance.models import Absence, ApprovalRound, ApprovalStep
from governance.selectors import approved_digest
from governance.services.absences import end_absence, plan_absence
from governance.services.ask_requester import answer_question, ask_requester
from governance.services.decide_step import decide_step
from governance.services.escalate import escalate_due_steps
from governance.services.reassign_step import reassign_step
from governance.services.withdraw_task import withdraw_task
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from tests.factories import Tenant, let_pass, make_user, proof_of
from tickets.models import OpsTask
from tickets.services.resubmit_task import resubmit_task

EXAMPLES, STEPS = 8, 20
anybody = st.integers(0, 6)


class Approvals(RuleBasedStateMachine):
    """One task of one tenant; everybody tries everything. What isn't allowed is refused and counts as tried."""

    tenant: ClassVar[Tenant]
    people: ClassVar[list[User]]
    requester: ClassVar[User]
    approved_once: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.task_id = self.tenant.file(actor=self.requester).task_id
        prepare_plan(self.task.pk)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @property
    def task(self) -> OpsTask:
        return OpsTask.objects.get(task_id=self.task_id)

    @property
    def step(self) -> ApprovalStep | None:
        return ApprovalStep.objects.filter(round__task__task_id=self.task_id, status="PENDING").first()

    @rule(who=anybody, decision=st.sampled_from([*[Decision.APPROVE] * 4, Decision.REJECT]))
    def anybody_decides(self, who: int, decision: Decision) -> None:
        self._decide(self.people[who], decision)

    @rule()
    def who_is_asked_approves(self) -> None:
        if self.step is not None:
            self._decide(self.step.approver, Decision.APPROVE)

    @rule(who=anybody, deputy=anybody)
    def goes_away(self, who: int, deputy: int) -> None:
        with suppress(GuardiaError):
            plan_absence(
                actor=self.people[who],
                starts_at=now() - timedelta(hours=1),
                ends_at=now() + timedelta(hours=9),
                reason="연가",
                deputy=self.people[deputy] if deputy != who else None,
            )

    @rule()
    def comes_back(self) -> None:
        for absence in Absence.objects.filter(ended_at=None)[:1]:
            end_absence(actor=absence.user, absence_pk=absence.pk)

    @rule()
    def time_passes(self) -> None:
        let_pass(self.task)
        escalate_due_steps()

    @rule(who=anybody, to=anybody)
    def is_handed_over(self, who: int, to: int) -> None:
        if self.step is not None:
            with suppress(GuardiaError):
                reassign_step(actor=self.people[who], step_pk=self.step.pk, to=self.people[to], reason="출장")

    @rule(is_question=st.booleans())
    def asks_or_answers(self, is_question: bool) -> None:
        with suppress(GuardiaError):
            if is_question and self.step is not None:
                ask_requester(actor=self.step.approver, step_pk=self.step.pk, question="언제?")
            else:
                answer_question(actor=self.requester, task_id=self.task_id, answer="밤에")

    @rule()
    def is_withdrawn_or_filed_again(self) -> None:
        with suppress(GuardiaError):
            if self.task.status in ("REJ", "WDR"):
                resubmit_task(actor=self.requester, task_id=self.task_id)
                prepare_plan(self.task.pk)
            else:
                withdraw_task(actor=self.requester, task_id=self.task_id)

    @invariant()
    def nobody_approves_their_own_nor_twice(self) -> None:
        for round_ in ApprovalRound.objects.filter(task__task_id=self.task_id):
            deciders = list(round_.steps.exclude(decided_by=None).values_list("decided_by", flat=True))
            assert self.requester.pk not in deciders and len(deciders) == len(set(deciders))

    @invariant()
    def no_step_is_skipped(self) -> None:
        for round_ in ApprovalRound.objects.filter(task__task_id=self.task_id):
            statuses = [step.status for step in round_.steps.order_by("order")]
            undecided = statuses[len([s for s in statuses if s == "APPROVED"]) :]
            assert "APPROVED" not in undecided, statuses
            assert undecided[1:].count("PENDING") == 0, statuses

    @invariant()
    def approved_means_by_all(self) -> None:
        task = self.task
        assert (task.status == "APP") == (approved_digest(task) is not None)
        if task.status == "APP":
            type(self).approved_once = True

    @invariant()
    def no_dead_end(self) -> None:
        """Who waits is asked and has a deadline, or the requester has a question to answer; what ended can be filed
        again, and what is approved runs."""
        status, step = self.task.status, self.step
        assert status in ("PEN", "APP", "REJ", "WDR", "MAN"), status
        assert (status == "PEN") == (step is not None)
        if step is not None:
            assert step.approver_id != self.requester.pk
            assert step.due_at is not None or step.questions.filter(answered_at=None).exists()

    def _decide(self, actor: User, decision: Decision) -> None:
        step = self.step
        if step is not None:
            with suppress(GuardiaError):
                decide_step(
                    actor=actor,
                    step_pk=step.pk,
                    decision=decision,
                    digest=step.round.plan_digest,
                    channel="api",
                    comment="사유",
                    proof=proof_of(actor),
                )


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["site_manager", "owner", "pm"])
def test_whatever_happens_in_whatever_order(role: str) -> None:
    tenant = Tenant(servers=1)
    second_pm = make_user(Role.PM, tenant.institution)
    named = [tenant.site_manager, tenant.owner, tenant.deputy, tenant.supervisor, tenant.pm, tenant.security]
    people = [*named, second_pm]
    names: dict[str, Any] = {"tenant": tenant, "people": people, "requester": getattr(tenant, role)}
    machine = type("ApprovalsOf", (Approvals,), {**names, "approved_once": False})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            phases=[Phase.generate],  # shrinking would take minutes; the example as it is tells enough
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.approved_once, "the machine reaches approval"
