"""Steps without a network: what each yields from its arguments, how expectations are judged, and the way back."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.plan.render import commands_of
from execution.steps import known, service
from execution.steps.expect import is_number, unmet
from execution.steps.library import LIBRARY
from execution.steps.ops import change, check, run, saved, shell
from execution.steps.saving import asked_by, missing, repeated, saved_by, was_idle, without
from execution.steps.scripts import SCRIPTS
from execution.steps.undo import recheck_ops, touched, undo_order

NAMES = {text: f"@{name}" for name, text in SCRIPTS.items()}
CASES = sorted((Path(__file__).parent / "steps").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_step_yields_exactly_these_commands(path: Path) -> None:
    case = json.loads(path.read_text())
    step: Any = LIBRARY[case["step"]](**case["arguments"])
    for part in ("apply", "probe", "undo", "undo_probe"):
        assert shown(step[part] or ()) == case[part], part
    assert [op.get("expect") for op in step["apply"] if op["op"] == "exec"] == case["expect"]
    for flag in ("changes", "is_repeatable", "is_undo_repeatable"):
        assert step[flag] is case[flag], flag


@pytest.mark.parametrize("word", ["$$", "PPID", "$0", "$!"])
def test_no_script_that_shares_a_shell_asks_for_its_own_process(word: str) -> None:
    assert not [script for script in known._SHORT if word in script]


@pytest.mark.parametrize("text", ["0\n", "-1\n", "", "\n", "x\n", "0", "2 3\n"])
def test_what_is_no_process_is_never_taken_for_one(tmp_path: Path, text: str) -> None:
    """`kill -0 0` and `kill -0 -1` succeed: they mean everybody."""
    (tmp_path / "pid").write_text(text)
    asked = subprocess.run(["sh", "-c", service._LIVE_PID, "guardia", str(tmp_path / "pid")], capture_output=True)
    assert asked.returncode != 0 and not asked.stdout
    (tmp_path / "start").write_text("#!/bin/sh\necho started\n")
    (tmp_path / "start").chmod(0o755)
    begun = ["sh", "-c", service._UP, "guardia", str(tmp_path / "pid"), str(tmp_path / "start")]
    assert subprocess.run(begun, capture_output=True).stdout == b"started\n"


def shown(ops: Any) -> list[str]:
    """The commands as approvers read them, but for the scripts of `execution/steps/scripts`: those by name."""
    named = [{**op, "argv": [NAMES.get(str(part), part) for part in op["argv"]]} if "argv" in op else op for op in ops]
    return commands_of(named)


def test_every_step_has_a_case() -> None:
    assert {json.loads(path.read_text())["step"] for path in CASES} == set(LIBRARY)


#: Parts of scripts that only look (`tests/execution/steps/test_scripts.py` runs them).
LOOKS = {
    ("@haproxy", "was"),
    ("@haproxy", "others"),
    ("@nginx", "was"),
    ("@nginx", "others"),
    ("@port", "bits"),
    ("@reboot", "id"),
}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_values_are_saved_before_the_first_change(path: Path) -> None:
    """What `was_idle` relies on: the scripts that save only look."""
    case = json.loads(path.read_text())
    step: Any = LIBRARY[case["step"]](**case["arguments"])
    for ops in (step["apply"], step["undo"]):
        last_save = max((at for at, op in enumerate(ops) if "save" in op), default=-1)
        assert all(op["argv"][:2] == ["sh", "-c"] for op in ops[: last_save + 1])
        inline = [op["argv"][2] for op in ops[: last_save + 1] if op["argv"][2] not in NAMES]
        assert not {word for script in inline for word in script.split()} & {"mv", "rm", "cp", ">"}
        acts = {tuple(op["argv"][2:5:2]) for op in ops[: last_save + 1] if op["argv"][2] in NAMES}
        assert {(NAMES[script], act) for script, act in acts} <= LOOKS


UNMET = [
    # expect, exit status, stdout, saved → why it isn't met, or nothing
    ({}, 0, "anything", {}, ""),
    ({}, 3, "", {}, "exit status 3"),
    ({"any_exit": True}, 255, "", {}, ""),
    ({"equals": "abc"}, 0, " abc\n", {}, ""),
    ({"equals": "abc"}, 0, "abcd", {}, "the output is not the expected value"),
    ({"equals": saved("pid")}, 0, "7", {"pid": "7"}, ""),
    ({"differs": saved("pid")}, 0, "7\n", {"pid": "7"}, "the output has not changed"),
    ({"differs": saved("pid"), "number": True}, 0, "8", {"pid": "7"}, ""),
    ({"differs": saved("pid"), "number": True}, 0, "8; reboot", {"pid": "7"}, "the output is not a number"),
    ({"contains": "ready"}, 0, "all ready now", {}, ""),
    ({"contains": "ready"}, 0, "READY", {}, "the output lacks “ready”"),
    ({"lacks": "SEVERE"}, 0, "INFO", {}, ""),
    ({"lacks": "SEVERE"}, 0, "a SEVERE b", {}, "the output contains “SEVERE”"),
    ({"at_least": 64}, 0, "64\n", {}, ""),
    ({"at_least": 64}, 0, "63", {}, "63 is less than 64"),
    ({"at_least": 64}, 0, "much", {}, "the output is not a number"),
    ({"at_least": 64}, 0, "-65", {}, "the output is not a number"),
    ({"number": True}, 0, "٣", {}, "the output is not a number"),
    ({"number": True}, 0, "9" * 21, {}, "the output is not a number"),
    ({"number": True}, 0, "", {}, "the output is not a number"),
    ({"equals": "a"}, 1, "a", {}, "exit status 1"),
]


@pytest.mark.parametrize(("expect", "status", "stdout", "values", "why"), UNMET)
def test_an_expectation_is_judged(expect: Any, status: int, stdout: str, values: dict[str, str], why: str) -> None:
    assert unmet(expect, exit_status=status, stdout=stdout, saved=values) == why


@given(st.text())
def test_only_ascii_digits_travel_on_to_another_command(text: str) -> None:
    assert not is_number(text) or set(text) <= set("0123456789")


LOOK = check("look", run("true"), shell("x", saved("position")))
STOP = change("stop", shell("cat", save="pid"), run("stop"), probe=[run("true")], undo=[run("start")])
MOVE = change("move", run("mv"), probe=[run("true")], undo=[run("mv-back")])
COPY = change("copy", run("cp"), probe=[run("true")])
STEPS = [LOOK, COPY, STOP, MOVE, LOOK]

WAYS_BACK = [
    # begun → positions to undo, touched
    ([], [None], False),
    ([0], [None], False),
    ([0, 1], [None], True),
    ([0, 1, 2], [2, None], True),
    ([0, 1, 2, 3], [3, 2, None], True),
    ([0, 1, 2, 3, 4], [3, 2, None], True),
    ([3], [3, None], True),
]


@pytest.mark.parametrize(("begun", "order", "is_touched"), WAYS_BACK)
def test_the_way_back_is_the_way_there_backwards(begun: list[int], order: list[int], is_touched: bool) -> None:
    assert undo_order(STEPS, set(begun)) == order
    assert touched(STEPS, set(begun)) is is_touched


OUT = change("drain", run("out"), probe=[run("true")], undo=[run("in")])
IN = change("undrain", run("in"), probe=[run("true")], undo=[run("out")])


def test_a_host_goes_back_to_its_balancers_after_the_look_whether_it_is_well() -> None:
    steps = [COPY, OUT, STOP, MOVE, LOOK, IN]
    assert undo_order(steps, {0, 1, 2, 3, 4}) == [3, 2, None, 1]
    assert undo_order(steps, {0, 1, 2, 3, 4, 5}) == [5, 3, 2, None, 1]
    assert commands_of(recheck_ops(steps, {0, 1}, {})) == ["true"], (
        "the checks behind the last change on the host itself"
    )


@pytest.mark.parametrize(
    ("begun", "values", "commands"),
    [
        ([0], {}, []),
        ([0, 1], {}, ["true"]),
        ([0, 1, 2], {"position": "3"}, ["true", "sh -c x guardia '<position>'"]),
    ],
)
def test_health_after_a_rollback_looks_at_what_can_be_known(
    begun: list[int], values: dict[str, str], commands: list[str]
) -> None:
    assert commands_of(recheck_ops(STEPS, set(begun), values)) == commands


def test_saved_values_tell_how_far_operations_came() -> None:
    ops = [
        shell("cat", save="pid"),
        run("stop"),
        shell("gone", saved("pid")),
        shell("x", expect={"equals": saved("y")}),
    ]
    assert saved_by(ops) == {"pid"}
    assert [asked_by(op) for op in ops] == [set(), set(), {"pid"}, {"y"}]
    assert missing(ops, {}) == {"y"}
    assert missing(ops[2:], {"y": "1"}) == {"pid"}
    assert was_idle(ops, {}) and not was_idle(ops, {"pid": "1"}) and not was_idle([run("mv")], {})
    assert without({"pid": "1", "other": "2"}, ops) == {"other": "2"}
    assert repeated(ops, {"pid"}) == ops[1:]
    assert repeated(ops, {}) == ops
