"""The whole life of a task in any order: approvals as in `test_any_order`, and beside them changed plans, runs that end
well and badly, reworks, work by hand, people who leave, come back and become viewers. Nothing runs that wasn't approved
by all, and from wherever it stands at the end, somebody or the clock can bring the task to its end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from execution.models import HostRun, Run
from execution.plan.prepare import prepare_plan
from execution.rollout.advance import advance
from execution.rollout.start_run import start_run
from governance.choices import Decision, ReviewDecision
from governance.models import Absence
from governance.selectors import approved_digest, holder_of, may_work_by_hand
from governance.services.accounts import disable_account, enable_account
from governance.services.close_task import close_by_hand, close_not_done
from governance.services.escalate import escalate_due_steps
from governance.services.plan_again import plan_again
from governance.services.record_manual_work import record_manual_work
from governance.services.set_authority import set_authority
from governance.services.take_over import take_over
from governance.services.validate_result import validate_result
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from tests.factories import Tenant, let_pass, make_user
from tests.governance.test_any_order import Approvals, anybody
from tickets.models import OpsTask

EXAMPLES, STEPS = 10, 20
#: Rounds of everybody's tries after which every task must have ended.
PATIENCE = 25
BEGUN = ("APP", "SCH", "EXE", "VAL", "COM")
UNDECIDED = ("REC", "INF", "PAR", "PEN", "REJ", "WDR")


class WholeLife(Approvals):
    administrator: ClassVar[User]
    seen: ClassVar[set[str]]

    def teardown(self) -> None:
        try:
            self._comes_to_an_end()
        finally:
            super().teardown()

    @rule(who=anybody)
    def somebody_leaves_or_comes_back(self, who: int) -> None:
        person = User.objects.get(pk=self.people[who].pk)
        change = disable_account if person.is_active else enable_account
        change(actor=self.administrator, user=person, reason="인사")

    @rule(who=anybody, authority=st.sampled_from(Authority))
    def somebodys_authority_changes(self, who: int, authority: Authority) -> None:
        membership = Membership.objects.get(user=self.people[who])
        set_authority(actor=self.administrator, membership_pk=membership.pk, authority=authority)

    @rule(version=st.sampled_from(["1.9", "2.1", "3.0"]))
    def the_parameters_change(self, version: str) -> None:
        task = self.task
        OpsTask.objects.filter(pk=task.pk).update(params={**task.params, "version": version})

    @rule()
    def a_worker_comes(self) -> None:
        """Both bells, as the sweep rings them: for a plan, and for a start."""
        prepare_plan(self.task.pk)
        start_run(self.task.pk)

    @rule()
    def it_goes_on(self) -> None:
        """What usually happens next, so that the machine gets somewhere."""
        self.who_is_asked_approves()
        if self.task.status == "EXE":
            self.the_run_ends("DONE")
        self.a_worker_comes()

    @rule()
    def it_goes_on_and_on(self) -> None:
        for _turn in range(3):
            self.it_goes_on()

    @precondition(lambda self: self.task.status == "EXE")
    @rule(outcome=st.sampled_from(["DONE", "DONE", "FAILED"]))
    def the_run_ends(self, outcome: str) -> None:
        run = Run.objects.get(task=self.task, finished_at=None)
        HostRun.objects.filter(wave__run=run).update(status=outcome)
        while advance(run.pk):
            continue

    @rule(who=anybody, decision=st.sampled_from(ReviewDecision))
    def somebody_judges(self, who: int, decision: ReviewDecision) -> None:
        with suppress(GuardiaError):
            validate_result(
                actor=self._now(who), task_id=self.task_id, decision=decision, comment="다음에는 백업을 먼저"
            )

    @rule(who=anybody, hands=st.sampled_from(["take", "record", "accept", "again", "not done"]))
    def somebody_works_by_hand(self, who: int, hands: str) -> None:
        with suppress(GuardiaError):
            self._by_hand(self._now(who), hands)

    @invariant()
    def approved_means_by_all(self) -> None:
        task = self.task
        self.seen.add(task.status)
        if task.status in BEGUN:
            assert approved_digest(task) is not None, task.status
            type(self).approved_once = True
        if task.status in UNDECIDED:
            assert approved_digest(task) is None, task.status

    @invariant()
    def nothing_ran_that_was_not_approved_by_all(self) -> None:
        for run in Run.objects.filter(task__task_id=self.task_id).select_related("plan"):
            rounds = run.task.rounds.filter(plan_digest=run.plan.digest).prefetch_related("steps")
            agreed = [[(s.status, s.digest_seen) for s in round_.steps.all()] for round_ in rounds]
            assert any(steps and set(steps) == {("APPROVED", run.plan.digest)} for steps in agreed), agreed

    @invariant()
    def one_plan_runs_once(self) -> None:
        digests = list(Run.objects.filter(task__task_id=self.task_id).values_list("plan__digest", flat=True))
        assert len(digests) == len(set(digests))

    @invariant()
    def no_dead_end(self) -> None:
        """Every moment: what waits for a person has one who may be asked, or a clock. That it really moves is tried
        when the machine stops."""
        step = self.step
        assert (self.task.status == "PEN") == (step is not None)
        if step is not None:
            assert step.approver_id not in (None, self.requester.pk)
            assert step.due_at is not None or step.questions.filter(answered_at=None).exists()

    def _comes_to_an_end(self) -> None:
        """Everybody who is there tries what they may, the clock goes on; only then the administrator helps out."""
        for number in range(PATIENCE):
            task = self.task
            self.seen.add(task.status)
            if task.closed_at is not None:
                return
            if number == PATIENCE // 3:
                self._administrator_helps()
            self.a_worker_comes()
            if self.task.status == "EXE":
                self.the_run_ends("DONE")
            let_pass(task)
            escalate_due_steps()
            for who in range(len(self.people)):
                self.anybody_decides(who, Decision.APPROVE)
                self.somebody_judges(who, ReviewDecision.ACCEPT)
                holder = holder_of(self.task)
                is_free = holder is None or not may_work_by_hand(holder, self.task)
                for hands in ("accept", "not done", *(["take"] if is_free else []), "record"):
                    self.somebody_works_by_hand(who, hands)
        raise AssertionError(f"a dead end: {self.task.status} {self.task.reason}")

    def _administrator_helps(self) -> None:
        """What an administrator can do without taking anybody's part: accounts, authority, another PM."""
        for person in User.objects.filter(pk__in=[person.pk for person in self.people], is_active=False):
            enable_account(actor=self.administrator, user=person, reason="복귀")
        for membership in Membership.objects.filter(user__in=self.people):
            set_authority(actor=self.administrator, membership_pk=membership.pk, authority=Authority.APPROVER)
        Absence.objects.filter(ended_at=None).update(ended_at=now())
        self.people = [*self.people, make_user(Role.PM, self.tenant.institution)]  # type: ignore[misc]

    def _by_hand(self, actor: User, hands: str) -> None:
        acts: dict[str, Callable[[], Any]] = {
            "take": lambda: take_over(actor=actor, task_id=self.task_id, reason="직접"),
            "record": lambda: record_manual_work(
                actor=actor,
                task_id=self.task_id,
                text="서버에서 직접 함",
                done_at=now(),
                hostnames=[server.hostname for server in self.tenant.servers],
                command_log="systemctl restart was",
            ),
            "accept": lambda: close_by_hand(actor=actor, task_id=self.task_id),
            "again": lambda: plan_again(actor=actor, task_id=self.task_id, reason="다시"),
            "not done": lambda: close_not_done(actor=actor, task_id=self.task_id, reason="필요 없음"),
        }
        acts[hands]()

    def _now(self, who: int) -> User:
        return User.objects.get(pk=self.people[who].pk)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["site_manager", "pm"])
def test_whatever_happens_until_the_end(role: str) -> None:
    tenant = Tenant(servers=1)
    second_pm = make_user(Role.PM, tenant.institution)
    named = [tenant.site_manager, tenant.owner, tenant.deputy, tenant.supervisor, tenant.pm, tenant.security]
    given: dict[str, Any] = {
        "tenant": tenant,
        "people": [*named, second_pm],
        "requester": getattr(tenant, role),
        "administrator": make_user(Role.ADMINISTRATOR, tenant.institution),
        "approved_once": False,
        "seen": set(),
    }
    machine = type("WholeLifeOf", (WholeLife,), given)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(role, sorted(machine.seen))
    assert {"PEN", "EXE", "VAL", "COM"} <= machine.seen and len(machine.seen) > 5, machine.seen
