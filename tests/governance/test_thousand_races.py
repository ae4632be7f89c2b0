"""Two people at the same moment, again and again, each on a real connection: one counts, the other is told who.

Where both need one row they are brought to it by force (`queue_up`): PostgreSQL itself says that both wait, then it is
let go. The sweep passes over what is locked, so its race is begun by a barrier. 24 each here, 1,000 in the slow ones.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from accounts.choices import Role
from accounts.models import User
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from governance.choices import Decision, ExceptionStatus, ReviewDecision
from governance.exceptions import AlreadyDecided, NotYourTurn
from governance.models import ApprovalPolicy, ApprovalStep, Freeze, FreezeException, PolicyChange
from governance.services.change_policy import decide_policy_change, propose_policy_change
from governance.services.decide_step import decide_step
from governance.services.escalate import escalate_due_steps
from governance.services.freeze_exceptions import decide_freeze_exception
from governance.services.reassign_step import reassign_step
from governance.services.take_over import take_over
from governance.services.validate_result import validate_result
from governance.services.withdraw_task import withdraw_task
from guardia.common.errors import GuardiaError, StaleState
from tests.factories import Tenant, let_pass, make_user, pending_step, proof_of
from tests.governance.hours import freeze
from tests.governance.test_policy_changes import document
from tests.threads import queue_up, race
from tickets.choices import Channel
from tickets.exceptions import NotInThatState
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db(transaction=True)
Outcomes = list[Any]
#: What one race says of itself: who won.
Race = Callable[[int], str]


def decision(actor: User, step: ApprovalStep, given: Decision = Decision.APPROVE, channel: str = "portal") -> Any:
    return partial(
        decide_step,
        actor=actor,
        step_pk=step.pk,
        decision=given,
        digest=step.round.plan_digest,
        channel=channel,
        comment="동시에",
        proof=proof_of(actor),
    )


def mixed(number: int, *acts: Any) -> list[Any]:
    """The acts in an order that differs from race to race and is the same in every run of the test."""
    return random.Random(number).sample(acts, len(acts))


def the_task(task: OpsTask) -> Callable[[], object]:
    return lambda: OpsTask.objects.select_for_update(no_key=True).get(pk=task.pk)


def entries(task: OpsTask, prefix: str) -> list[str]:
    found = Entry.objects.filter(task_id=task.task_id, action__startswith=prefix).order_by("pk")
    return list(found.values_list("action", flat=True))


def won(outcomes: Outcomes, kind: type[Any]) -> Any:
    """What the one winner brought; the other is an error that HTTP calls a conflict."""
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, kind)]
    (loser,) = [outcome for outcome in outcomes if isinstance(outcome, GuardiaError)]
    return winner, loser


def same_person_twice(tenant: Tenant) -> Race:
    """The portal and the API, one says yes and the other no."""

    def once(number: int) -> str:
        task, _plan = tenant.planned()
        step = pending_step(task)
        acts = mixed(
            number,
            decision(tenant.owner, step),
            decision(tenant.owner, step, Decision.REJECT if number % 2 else Decision.APPROVE, Channel.API),
        )
        winner, loser = won(queue_up(acts, the_task(task), AlreadyDecided), ApprovalStep)
        assert loser.http_status == 409 and str(tenant.owner) in str(loser)
        saved = ApprovalStep.objects.get(pk=step.pk)
        assert saved.status == winner.status and saved.decided_by == tenant.owner
        assert entries(task, "approval.") == [f"approval.{saved.status.lower()}"]
        assert OpsTask.objects.get(pk=task.pk).status == ("PEN" if saved.status == "APPROVED" else "REJ")
        return f"{saved.status} in {saved.decided_in}"

    return once


def two_approvers(tenant: Tenant) -> Race:
    """The owner decides while they hand the step to the deputy, who decides too."""

    def once(number: int) -> str:
        task, _plan = tenant.planned()
        step = pending_step(task)
        hand_over = partial(reassign_step, actor=tenant.owner, step_pk=step.pk, to=tenant.deputy, reason="외근")
        acts = mixed(number, decision(tenant.owner, step), hand_over, decision(tenant.deputy, step))
        outcomes = queue_up(acts, the_task(task), (AlreadyDecided, NotYourTurn, StaleState))
        saved = ApprovalStep.objects.get(pk=step.pk)
        decided = [o for o in outcomes if isinstance(o, ApprovalStep) and o.status == "APPROVED"]
        assert len(decided) <= 1 and (saved.status == "APPROVED") == bool(decided), outcomes
        assert entries(task, "approval.approved") == ["approval.approved"] * len(decided)
        who = {tenant.owner.pk: "owner", tenant.deputy.pk: "deputy"}
        for refusal in (o for o in outcomes if isinstance(o, AlreadyDecided)):
            assert refusal.http_status == 409 and str(saved.decided_by) in str(refusal)
        return who[saved.decided_by_id] if saved.decided_by_id else "handed over, nobody yet"

    return once


def approve_or_escalate(tenant: Tenant) -> Race:
    def once(number: int) -> str:
        task, _plan = tenant.planned()
        step = pending_step(task)
        let_pass(task)
        acts: list[Any] = mixed(number, decision(tenant.owner, step), escalate_due_steps)
        outcomes = race(acts, (AlreadyDecided, NotYourTurn))
        saved = ApprovalStep.objects.get(pk=step.pk)
        is_decided = any(isinstance(outcome, ApprovalStep) for outcome in outcomes)
        expected = ("APPROVED", tenant.owner, 0) if is_decided else ("PENDING", tenant.deputy, 1)
        assert (saved.status, saved.approver, saved.escalation_level) == expected, outcomes
        kind = "approval.approved" if is_decided else "approval.escalated"
        assert entries(task, "approval.") == [kind]
        if not is_decided:
            (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, NotYourTurn)]
            assert str(tenant.deputy) in str(refusal)
        OpsTask.objects.filter(pk=task.pk).update(status="REJ")  # out of the next sweep's way
        return saved.status

    return once


def withdraw_or_approve(tenant: Tenant) -> Race:
    """A withdrawal before the run always counts; an approval that comes after it is told who withdrew."""

    def once(number: int) -> str:
        task, _plan = tenant.planned()
        step = pending_step(task)
        withdraw = partial(withdraw_task, actor=tenant.site_manager, task_id=task.task_id)
        outcomes = queue_up(mixed(number, withdraw, decision(tenant.owner, step)), the_task(task), AlreadyDecided)
        saved = ApprovalStep.objects.get(pk=step.pk)
        assert OpsTask.objects.get(pk=task.pk).status == "WDR" and saved.status in ("APPROVED", "VOID")
        refusals = [outcome for outcome in outcomes if isinstance(outcome, AlreadyDecided)]
        assert len(refusals) == (saved.status == "VOID")
        assert all(r.code == "withdrawn" and str(tenant.site_manager) in str(r) for r in refusals)
        assert entries(task, "approval.") == ["approval.approved"] * (saved.status == "APPROVED")
        assert entries(task, "task.withdrawn") == ["task.withdrawn"]
        return saved.status

    return once


def take_over_or_accept(tenant: Tenant) -> Race:
    second = make_user(Role.PM, tenant.institution)

    def once(number: int) -> str:
        task = tenant.file()
        OpsTask.objects.filter(pk=task.pk).update(status="VAL")
        accept = partial(
            validate_result, actor=tenant.pm, task_id=task.task_id, decision=ReviewDecision.ACCEPT, comment="좋음"
        )
        hands = partial(take_over, actor=second, task_id=task.task_id, reason="직접")
        outcomes = queue_up(mixed(number, accept, hands), the_task(task), NotInThatState)
        (refusal,) = [outcome for outcome in outcomes if isinstance(outcome, NotInThatState)]
        saved = OpsTask.objects.get(pk=task.pk)
        assert refusal.http_status == 409 and refusal.details == {"current": saved.status}
        assert (task.result_reviews.count(), task.takeovers.count()) == {"COM": (1, 0), "MAN": (0, 1)}[saved.status]
        assert len(entries(task, "task.completed") + entries(task, "task.handed_over")) == 1
        return saved.status

    return once


def two_officers(_tenant: Tenant) -> Race:
    proposer, one, two = (make_user(Role.SECURITY_OFFICER) for _number in range(3))

    def once(number: int) -> str:
        change = propose_policy_change(
            actor=proposer, policy_pk=None, after=document(name=f"경주 {number}"), reason="경주"
        )
        decide = partial(decide_policy_change, pk=change.pk, is_accepted=True, comment="예")
        acts = mixed(number, partial(decide, actor=one), partial(decide, actor=two))

        def lock(pk: int = change.pk) -> object:
            return PolicyChange.objects.select_for_update().get(pk=pk)

        winner, loser = won(queue_up(acts, lock, StaleState), PolicyChange)
        assert loser.http_status == 409 and str(winner.decided_by) in str(loser)
        assert Entry.objects.filter(action="policy_change.applied", object_id=str(change.pk)).count() == 1
        assert ApprovalPolicy.objects.filter(name=f"경주 {number}").count() == 1
        ApprovalPolicy.objects.filter(name=f"경주 {number}").delete()
        return "one" if winner.decided_by_id == one.pk else "two"

    return once


def two_deciders(tenant: Tenant) -> Race:
    frozen: Freeze = freeze(tenant.institution)
    administrator = make_user(Role.ADMINISTRATOR, tenant.institution)

    def once(number: int) -> str:
        task = tenant.file()
        row = FreezeException.objects.create(freeze=frozen, task=task, reason="급함", requested_by=tenant.site_manager)
        say = partial(decide_freeze_exception, task_id=task.task_id, exception_pk=row.pk, comment="동시에")
        acts = mixed(
            number,
            partial(say, actor=tenant.security, decision=Decision.APPROVE),
            partial(say, actor=administrator, decision=Decision.REJECT),
        )
        winner, loser = won(queue_up(acts, the_task(task), AlreadyDecided), FreezeException)
        assert loser.http_status == 409 and str(winner.decided_by) in str(loser)
        saved = FreezeException.objects.get(pk=row.pk)
        assert saved.status == winner.status != ExceptionStatus.REQUESTED
        assert entries(task, "freeze_exception.") == [f"freeze_exception.{saved.status.lower()}"]
        return saved.status

    return once


RACES: list[Callable[[Tenant], Race]] = [
    same_person_twice,
    two_approvers,
    approve_or_escalate,
    withdraw_or_approve,
    take_over_or_accept,
    two_officers,
    two_deciders,
]
_QUICK = RACES[1:4]


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    yield Tenant(servers=1)
    assert all(report.is_intact for report in verify_all())


def run(kind: Callable[[Tenant], Race], tenant: Tenant, times: int) -> None:
    once = kind(tenant)
    winners = Counter(once(number) for number in range(times))
    print(f"{kind.__name__}: {times} races: {dict(winners)}")
    assert winners.total() == times and len(winners) > 1, "each side can win"


@pytest.mark.parametrize("kind", _QUICK, ids=[kind.__name__ for kind in _QUICK])
def test_two_dozen_times(kind: Callable[[Tenant], Race], tenant: Tenant) -> None:
    run(kind, tenant, 24)


@pytest.mark.slow
@pytest.mark.parametrize("kind", RACES, ids=[kind.__name__ for kind in RACES])
def test_a_thousand_times(kind: Callable[[Tenant], Race], tenant: Tenant) -> None:
    run(kind, tenant, 1000)
