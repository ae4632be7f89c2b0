"""The state machines of approvals as tables."""

from typing import Any

from accounts.models import User
from governance.choices import ChangeStatus, ExceptionStatus, RoundStatus, SatisfiedBy, StepStatus
from governance.models import ApprovalRound, ApprovalStep, FreezeException, PolicyChange
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
    "satisfy": ({"WAITING"}, "APPROVED"),
    "void": ({"WAITING", "PENDING"}, "VOID"),
    "expire": ({"PENDING"}, "EXPIRED"),
}
EXCEPTION: Table = {
    "grant": ({"REQUESTED"}, "GRANTED"),
    "refuse": ({"REQUESTED"}, "REFUSED"),
}


def test_rounds_allow_exactly_the_table() -> None:
    assert_states(ApprovalRound, ROUND, RoundStatus.values, {})


def test_steps_allow_exactly_the_table() -> None:
    decision = {"by": User(pk=1), "digest": "d" * 64, "channel": "api", "comment": ""}
    unasked: dict[str, Any] = {"by": SatisfiedBy.AUTOMATIC, "digest": "d" * 64}
    calls: dict[str, dict[str, Any]] = {
        "approve": decision,
        "reject": decision,
        "satisfy": unasked,
        "expire": {"reason": "nobody"},
    }
    assert_states(ApprovalStep, STEP, StepStatus.values, calls)


def test_policy_changes_allow_exactly_the_table() -> None:
    table: Table = {
        "apply": ({"OPEN"}, "APPLIED"),
        "refuse": ({"OPEN"}, "REFUSED"),
        "withdraw": ({"OPEN"}, "WITHDRAWN"),
    }
    call = {"by": User(pk=1), "comment": ""}
    assert_states(PolicyChange, table, ChangeStatus.values, dict.fromkeys(table, call))


def test_freeze_exceptions_allow_exactly_the_table() -> None:
    decision = {"by": User(pk=1), "comment": ""}
    assert_states(FreezeException, EXCEPTION, ExceptionStatus.values, {"grant": decision, "refuse": decision})
    assert_protected(FreezeException, "REQUESTED")


def test_neither_status_can_be_assigned() -> None:
    assert_protected(ApprovalRound, "OPEN")
    assert_protected(ApprovalStep, "PENDING")
    assert_protected(PolicyChange, "OPEN")
