"""The labelled lines: nothing dangerous passes, and routine work isn't held up."""

import pytest

from execution.command_check.check import check_command
from execution.command_check.verdict import Verdict
from tests.execution.command_check.lines import Line, lines_of

_HELD_UP = 0.05


_BATCHES = ("dev", *(f"held_{number}" for number in range(1, 9)))


@pytest.mark.parametrize("name", [f"dangerous_{batch}" for batch in _BATCHES])
def test_no_dangerous_line_is_allowed(name: str) -> None:
    allowed = [line for line in lines_of(name) if check_command(*line).verdict is Verdict.ALLOW]
    assert allowed == []


@pytest.mark.parametrize("name", [f"routine_{batch}" for batch in _BATCHES])
def test_routine_lines_flow(name: str) -> None:
    lines = lines_of(name)
    held = [(command, check_command(kind, command).reason) for kind, command in lines if _is_held(kind, command)]
    assert len(held) <= _HELD_UP * len(lines), held


def _is_held(kind: str, command: str) -> bool:
    return check_command(kind, command).verdict is not Verdict.ALLOW


@pytest.mark.parametrize(
    "line",
    [("shell", "rm -rf /"), ("shell", "r''m -rf /app"), ("shell", "cat /etc/shadow"), ("sql", "DROP TABLE orders")],
)
def test_what_destroys_is_refused_outright(line: Line) -> None:
    assert check_command(*line).verdict is Verdict.BLOCK


@pytest.mark.parametrize("kind", ["", "python", "SHELL", "shell ", "cmd"])
def test_an_unknown_kind_needs_an_officer(kind: str) -> None:
    assert check_command(kind, "ls").verdict is Verdict.ESCALATE


@pytest.mark.parametrize(
    "command",
    [
        "a" * 20_000, "$(" * 500 + "ls" + ")" * 500, "{" * 300, "(" * 5_000, "'" * 4_001, "<<a " * 500, "{a,b}" * 40,
        "for i in 1 2 3; do " * 40 + "ls" + "; done" * 40, "${x:-" * 300, "[[ " * 500, "ls " + "| ls " * 2_000, "((" * 500, "`" * 999,
    ],
)  # fmt: skip
def test_a_line_made_to_exhaust_is_never_allowed(command: str) -> None:
    assert check_command("shell", command).verdict is not Verdict.ALLOW


@pytest.mark.parametrize(
    "command",
    [
        "Get-Process " + "-a " * 4_000 + "!", "reg query " + "/v " * 4_000 + "!", "tasklist " + "/v " * 4_000 + "!", "Get-Process | " * 1_000,
        "Get-Process @{" + "aa=" * 3_000, "Get-Process @{n='a';e={" + "1.1" * 4_000, "Get-Process " + "'a'," * 3_000 + "!",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["shell", "powershell"])
def test_a_windows_line_made_to_exhaust_is_never_allowed(kind: str, command: str) -> None:
    assert check_command(kind, command).verdict is not Verdict.ALLOW


@pytest.mark.parametrize(
    "command", ["SELECT " + "(" * 700 + "1" + ")" * 700, "SELECT 1" + " UNION SELECT 1" * 700, "'" * 999, "/*" * 999]
)
def test_a_statement_made_to_exhaust_is_never_allowed(command: str) -> None:
    assert check_command("sql", command).verdict is not Verdict.ALLOW
