"""The state machines of runs and hosts as tables."""

from execution.choices import HostStatus, RunStatus
from execution.models import HostRun, Run
from tests.fsm import Table, assert_protected, assert_states

RUN: Table = {
    "roll_back": ({"RUNNING"}, "ROLLING_BACK"),
    "succeed": ({"RUNNING"}, "SUCCEEDED"),
    "finish_rollback": ({"ROLLING_BACK"}, "ROLLED_BACK"),
    "hand_over": ({"RUNNING", "ROLLING_BACK"}, "MANUAL"),
}
HOST: Table = {
    "take": ({"PENDING"}, "RUNNING"),
    "spare": ({"PENDING"}, "UNTOUCHED"),
    "finish": ({"RUNNING"}, "DONE"),
    "fail": ({"RUNNING"}, "FAILED"),
    "lose": ({"RUNNING", "UNDOING"}, "UNCERTAIN"),
    "ask_undo": ({"DONE", "FAILED"}, "UNDO_PENDING"),
    "take_undo": ({"UNDO_PENDING"}, "UNDOING"),
    "finish_undo": ({"UNDOING"}, "UNDONE"),
    "fail_undo": ({"UNDO_PENDING", "UNDOING"}, "UNDO_FAILED"),
}
WHY = {"reason": "health check failed"}
ERROR = {"code": "timeout", "message": "no answer"}


def test_runs_allow_exactly_the_table() -> None:
    assert_states(Run, RUN, RunStatus.values, {"roll_back": WHY, "hand_over": WHY})


def test_hosts_allow_exactly_the_table() -> None:
    assert_states(HostRun, HOST, HostStatus.values, {"fail": ERROR, "lose": ERROR, "fail_undo": ERROR})


def test_neither_status_can_be_assigned() -> None:
    assert_protected(Run, "RUNNING")
    assert_protected(HostRun, "PENDING")
