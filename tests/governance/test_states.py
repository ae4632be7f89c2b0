"""The state machines of approvals as tables."""

from typing import Any

from accounts.models import User
from governance.choices import RoundStatus, StepStatus
from governance.models import ApprovalRound, ApprovalStep
from tests.fsm import Table, assert_protected, assert_states

ROUND: Table = {
    "approve": ({"OPEN"}, "APPROVED"),
    "reject": ({"OPEN"}, "REJECTED"),
    "void": ({"OPEN", "APPROVED"}, "VOID"),
}
STEP: Table = {
    "ask": ({"WAITING"}, "PENDING"),
    "approve": ({"PENDING"}, "APPROVED"),
    "reject": ({"PENDING"}, "REJECTED"),
    "void": ({"WAITING", "PENDING"}, "VOID"),
    "expire": ({"PENDING"}, "EXPIRED"),
}


def test_rounds_allow_exactly_the_table() -> None:
    assert_states(ApprovalRound, ROUND, RoundStatus.values, {})


def test_steps_allow_exactly_the_table() -> None:
    decision = {"by": User(pk=1), "digest": "d" * 64, "channel": "api", "comment": ""}
    calls: dict[str, dict[str, Any]] = {"approve": decision, "reject": decision, "expire": {"reason": "nobody"}}
    assert_states(ApprovalStep, STEP, StepStatus.values, calls)


def test_neither_status_can_be_assigned() -> None:
    assert_protected(ApprovalRound, "OPEN")
    assert_protected(ApprovalStep, "PENDING")
