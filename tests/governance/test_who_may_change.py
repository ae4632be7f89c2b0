"""State × act × role of what people change together: policies, exceptions from a freeze, prepared changes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from governance.choices import ChangeStatus, Decision, ExceptionStatus, ReviewDecision
from governance.models import ChangeReview, FreezeException, PolicyChange
from governance.services.change_policy import decide_policy_change, propose_policy_change, withdraw_policy_change
from governance.services.freeze_exceptions import decide_freeze_exception, request_freeze_exception
from governance.services.review_change import review_change
from guardia.common.clock import now
from tests.factories import make_user
from tests.governance.hours import freeze
from tests.governance.test_policy_changes import document
from tests.governance.test_who_may import People, who_can
from tickets.choices import TaskStatus
from tickets.models import OpsTask

pytestmark = pytest.mark.django_db


class Offices(People):
    """Besides the people of one institution, those who hold their rank for all of them, one of whom only looks on."""

    def __init__(self) -> None:
        super().__init__()
        for who, role, authority in (
            ("officer of all", Role.SECURITY_OFFICER, Authority.APPROVER),
            ("administrator of all", Role.ADMINISTRATOR, Authority.APPROVER),
            ("pm of all", Role.PM, Authority.APPROVER),
            ("viewer of all", Role.SECURITY_OFFICER, Authority.VIEWER),
        ):
            self.all[who] = make_user()
            Membership.objects.create(user=self.all[who], role=role, institution=None, authority=authority)


OFFICERS = {"officer of all", "administrator of all"}


def test_a_policy_is_proposed_by_an_officer_decided_by_another_and_withdrawn_by_its_proposer() -> None:
    offices = Offices()
    proposer, decider = offices.all["officer of all"], offices.all["administrator of all"]
    assert (
        who_can(offices, lambda who: propose_policy_change(actor=who, policy_pk=None, after=document(), reason="변경"))
        == OFFICERS
    )
    pk = propose_policy_change(actor=proposer, policy_pk=None, after=document(), reason="변경").pk
    acts: dict[str, tuple[Callable[[User], Any], set[str]]] = {
        "accept": (lambda who: decide_policy_change(actor=who, pk=pk, is_accepted=True), OFFICERS - {"officer of all"}),
        "refuse": (
            lambda who: decide_policy_change(actor=who, pk=pk, is_accepted=False, comment="아니오"),
            OFFICERS - {"officer of all"},
        ),
        "withdraw": (lambda who: withdraw_policy_change(actor=who, pk=pk), {"officer of all"}),
    }
    for state in ChangeStatus.values:
        is_open = state == ChangeStatus.OPEN
        by = proposer if state == ChangeStatus.WITHDRAWN else decider
        decided = {} if is_open else {"decided_by": by, "decided_at": now()}
        PolicyChange.objects.filter(pk=pk).update(status=state, **decided)
        for name, (act, may) in acts.items():
            assert who_can(offices, act) == (may if is_open else set()), (state, name)
        PolicyChange.objects.filter(pk=pk).update(status=ChangeStatus.OPEN, decided_by=None, decided_at=None)


@pytest.mark.parametrize("asked_by", ["requester", "security"])
def test_an_exception_is_decided_by_somebody_of_rank_who_has_no_part_in_it(asked_by: str) -> None:
    offices = Offices()
    task, _plan = offices.tenant.approved()
    frozen = freeze(offices.tenant.institution)
    ask = partial(request_freeze_exception, task_id=task.task_id, freeze_pk=frozen.pk, reason="긴급")
    may_ask = {
        state: who_can(offices, lambda who: ask(actor=who))
        for state in TaskStatus.values
        if OpsTask.objects.filter(pk=task.pk).update(status=state)
    }
    waiting = {state for state, people in may_ask.items() if people}
    assert all(may_ask[state] == {"requester", "pm", "pm of all"} for state in waiting)
    assert waiting == {"PEN", "APP", "SCH", "EXE"}
    row = FreezeException.objects.create(
        freeze=frozen, task=task, reason="긴급", requested_by=offices.all[asked_by], status=ExceptionStatus.REQUESTED
    )
    rank = {"security", "administrator", *OFFICERS} - {asked_by}
    for state in ExceptionStatus.values:
        is_open = state == ExceptionStatus.REQUESTED
        decided = {} if is_open else {"decided_by": offices.all["administrator"], "decided_at": now()}
        FreezeException.objects.filter(pk=row.pk).update(status=state, **decided)
        for decision in Decision:
            act = partial(
                decide_freeze_exception,
                task_id=task.task_id,
                exception_pk=row.pk,
                decision=decision,
                comment="결정",
            )
            assert who_can(offices, lambda who, act=act: act(actor=who)) == (rank if is_open else set()), state  # type: ignore[misc]


@pytest.mark.parametrize("decision", ReviewDecision)
@pytest.mark.parametrize("amended", [False, True])
def test_a_prepared_change_is_judged_by_a_pm_who_has_no_part_in_the_request(
    decision: ReviewDecision, amended: bool
) -> None:
    offices = Offices()
    task, _plan = offices.tenant.approved()
    review = ChangeReview.objects.create(task=task, revision=1, diff="+x", diff_digest="d" * 64)
    judges = {"pm", "pm of all"} - ({"pm"} if amended else set())
    OpsTask.objects.filter(pk=task.pk).update(amended_by=offices.all["pm"] if amended else None)
    done = set()
    for state in TaskStatus.values:
        OpsTask.objects.filter(pk=task.pk).update(status=state)
        act = partial(
            review_change,
            task_id=task.task_id,
            revision=review.revision,
            digest=review.diff_digest,
            decision=decision,
            instruction="고치세요",
        )
        done |= {(state, who) for who in who_can(offices, lambda who, act=act: act(actor=who))}  # type: ignore[misc]
    assert done == {("REV", who) for who in judges}
