"""The state machines of runs and hosts as tables."""

from execution.choices import HostStatus, RunStatus
from execution.models import HostRun, Run
from tests.fsm import Table, assert_protected, assert_states

RUN: Table = {
    "roll_back": ({"RUNNING", "HALTED"}, "ROLLING_BACK"),
    "succeed": ({"RUNNING"}, "SUCCEEDED"),
    "finish_rollback": ({"ROLLING_BACK"}, "ROLLED_BACK"),
    "finish_abort": ({"ROLLING_BACK"}, "ABORTED"),
    "reopen": ({"SUCCEEDED", "ROLLED_BACK", "ABORTED"}, "RUNNING"),
    "hand_over": ({"RUNNING", "ROLLING_BACK"}, "MANUAL"),
    "stop": ({"RUNNING", "ROLLING_BACK"}, "HALTED"),
    "resume": ({"HALTED"}, "RUNNING"),
    "end_halted": ({"HALTED"}, "HALTED"),
}
HOST: Table = {
    "take": ({"PENDING"}, "RUNNING"),
    "spare": ({"PENDING", "RUNNING"}, "UNTOUCHED"),
    "finish": ({"RUNNING"}, "DONE"),
    "ask_check": ({"DONE"}, "CHECK_PENDING"),
    "take_check": ({"CHECK_PENDING"}, "CHECKING"),
    "end_check": ({"CHECK_PENDING", "CHECKING"}, "DONE"),
    "skip": ({"PENDING", "FAILED", "UNDONE"}, "SKIPPED"),
    "retry": ({"FAILED", "UNDONE"}, "RETRIED"),
    "fail": ({"RUNNING", "CHECKING"}, "FAILED"),
    "lose": ({"RUNNING", "UNDOING"}, "UNCERTAIN"),
    "halt": ({"RUNNING"}, "HALTED"),
    "halt_undo": ({"UNDOING"}, "UNDO_PENDING"),
    "go_on": ({"HALTED", "UNCERTAIN", "UNTOUCHED", "SKIPPED"}, "PENDING"),
    "ask_undo": ({"DONE", "FAILED", "HALTED", "UNCERTAIN"}, "UNDO_PENDING"),
    "take_undo": ({"UNDO_PENDING"}, "UNDOING"),
    "finish_undo": ({"UNDOING"}, "UNDONE"),
    "fail_undo": ({"UNDO_PENDING", "UNDOING"}, "UNDO_FAILED"),
}
WHY = {"reason": "health check failed"}
ERROR = {"code": "timeout", "message": "no answer"}


def test_runs_allow_exactly_the_table() -> None:
    assert_states(Run, RUN, RunStatus.values, {"roll_back": WHY, "hand_over": WHY, "stop": WHY})


def test_hosts_allow_exactly_the_table() -> None:
    calls = dict.fromkeys(("fail", "lose", "fail_undo", "halt", "halt_undo", "skip"), ERROR)
    assert_states(HostRun, HOST, HostStatus.values, calls)


def test_neither_status_can_be_assigned() -> None:
    assert_protected(Run, "RUNNING")
    assert_protected(HostRun, "PENDING")
