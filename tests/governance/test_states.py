"""The state machines of approvals as tables."""

from accounts.models import User
from governance.choices import ExceptionStatus, RoundStatus, StepStatus
from governance.models import ApprovalRound, ApprovalStep, FreezeException
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
}
EXCEPTION: Table = {
    "grant": ({"REQUESTED"}, "GRANTED"),
    "refuse": ({"REQUESTED"}, "REFUSED"),
}


def test_rounds_allow_exactly_the_table() -> None:
    assert_states(ApprovalRound, ROUND, RoundStatus.values, {})


def test_steps_allow_exactly_the_table() -> None:
    decision = {"by": User(pk=1), "digest": "d" * 64, "channel": "api", "comment": ""}
    assert_states(ApprovalStep, STEP, StepStatus.values, {"approve": decision, "reject": decision})


def test_freeze_exceptions_allow_exactly_the_table() -> None:
    decision = {"by": User(pk=1), "comment": ""}
    assert_states(FreezeException, EXCEPTION, ExceptionStatus.values, {"grant": decision, "refuse": decision})
    assert_protected(FreezeException, "REQUESTED")


def test_neither_status_can_be_assigned() -> None:
    assert_protected(ApprovalRound, "OPEN")
    assert_protected(ApprovalStep, "PENDING")
