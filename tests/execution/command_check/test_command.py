"""`manage.py command_check`: one answer for each line, whatever the line is."""

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

Answer = tuple[list[dict[str, Any]], int]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], Answer]:
    def ask(lines: bytes) -> Answer:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines)))
        out, code = io.StringIO(), 0
        try:
            call_command("command_check", "--jsonl", stdout=out)
        except SystemExit as ended:
            code = int(ended.code or 0)
        return [json.loads(line) for line in out.getvalue().splitlines()], code

    return ask


def test_the_fields_of_a_line_come_back_with_a_verdict(answers: Callable[[bytes], Answer]) -> None:
    rows = [
        {"id": 1, "kind": "shell", "command": "df -h"},
        {"kind": "sql", "command": "DROP TABLE orders", "note": "가"},
    ]
    found, code = answers("\n".join(map(json.dumps, rows)).encode())
    assert code == 0
    assert [row["verdict"] for row in found] == ["allow", "block"]
    assert all(answer.items() >= row.items() and answer["reason"] for answer, row in zip(found, rows, strict=True))


@pytest.mark.parametrize(
    "line",
    [b"{", b"[]", b"null", b'"x"', b'{"kind": "shell"}', b'{"kind": 1, "command": "ls"}', b'{"kind": "shell", "command": null}', b"\xff\xfe",
     b'{"kind": "shell", "command": "' + b"a" * 400_000 + b'"}', b"[" * 100_000],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_refused_and_the_rest_is_judged(
    answers: Callable[[bytes], Answer], line: bytes
) -> None:
    found, code = answers(line + b'\n\n{"kind": "shell", "command": "uptime"}\n')
    assert code == 1
    assert [row["verdict"] for row in found] == ["block", "allow"]


def test_one_command_by_hand_is_told_in_words(capsys: pytest.CaptureFixture[str], in_english: None) -> None:
    call_command("command_check", "--command", "df -h")
    assert capsys.readouterr().out.startswith("Allowed")
    with pytest.raises(SystemExit):
        call_command("command_check", "--kind", "sql", "--command", "TRUNCATE orders")
    assert capsys.readouterr().out.startswith("Blocked")
    with pytest.raises(CommandError):
        call_command("command_check")
