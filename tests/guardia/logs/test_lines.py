"""A log line is one line of JSON: with ids and a moment, bounded, masked, and forged by nobody."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from guardia.common.context import traced
from guardia.common.logs import LONGEST_MESSAGE, JsonFormatter, MaskingFilter

FORGED = '{"time":"2026-11-21T00:00:00Z","level":"INFO","message":"all is well"}'
DECEIVING = (
    "\n",
    "\r",
    "\x00",
    "\x1b[2J",
    "\x7f",
    "\x9b31m",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\ud800",
)


def said(message: str, *args: Any, **extra: Any) -> str:
    record = logging.LogRecord("a.b", logging.WARNING, "x.py", 1, message, args, None)
    for name, value in extra.items():
        setattr(record, name, value)
    assert MaskingFilter().filter(record)
    return JsonFormatter().format(record)


def test_a_line_has_its_moment_in_utc_and_the_ids() -> None:
    before = datetime.now(UTC)
    with traced(request_id="r1", task_id="OPS-1", run_id="7"):
        line = json.loads(said("kept %s", "하나"))
    assert before <= datetime.fromisoformat(line.pop("time")) <= datetime.now(UTC)
    assert line.pop("pid") > 0
    assert line == {
        "level": "WARNING",
        "logger": "a.b",
        "message": "kept 하나",
        "request": "r1",
        "task": "OPS-1",
        "run": "7",
    }


@pytest.mark.parametrize("mark", DECEIVING, ids=ascii)
def test_nothing_that_is_said_makes_a_second_line_or_moves_a_cursor(mark: str) -> None:
    line = said(f"user{mark}{FORGED}", told={"name": f"a{mark}b", f"k{mark}": mark})
    assert mark not in line and len(line.splitlines()) == 1
    read = json.loads(line)
    assert read["message"] == f"user{mark}{FORGED}" and read["name"] == f"a{mark}b", "it is kept, as an escape"


def test_secrets_are_hidden_in_messages_arguments_fields_and_tracebacks() -> None:
    try:
        raise ValueError("password=hunter2!")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    told = {
        "params": {"password": "hunter2!", "deep": ["010-1234-5678", {"token": "hunter2!abc"}]},
        "mail": "a.b@korea.kr",
    }
    line = said("token=%s", "hunter2!abcdef", told=told, exc_info=info)
    assert not any(word in line for word in ("hunter2", "010-1234", "korea.kr")) and "ValueError" in line


def test_a_line_is_bounded_whatever_is_said() -> None:
    secret = "ghp_" + "a1B2" * 9
    line = said("x" * (LONGEST_MESSAGE - 10) + " " + secret + "y" * 10_000_000, told={"text": "z " * 10_000_000})
    assert len(line) < 3 * LONGEST_MESSAGE and "ghp_" not in line and json.loads(line)["message"].endswith("[cut]")


def test_a_field_takes_no_other_s_place_and_a_wrong_placeholder_loses_nothing() -> None:
    assert json.loads(said("x", told={"level": "INFO", "message": "forged"}))["message"] == "x"
    assert "100" in json.loads(said("%d of %d", 100))["message"]
