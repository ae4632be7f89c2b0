"""Every reason that the command check can give is said in Korean; the check itself goes on in English."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils.translation import override

import execution.command_check
import execution.plan.judge
from execution.command_check.check import check_command
from execution.command_check.danger import BLOCKED
from execution.reason_words import reason_label

_FILES = [*Path(execution.command_check.__path__[0]).glob("*.py"), Path(execution.plan.judge.__file__)]
#: Names of programs and what they are told, with nothing to translate.
_TECHNICAL = {
    "x", "x x", "git x", "x: x", "x of x", "x on x", "x below x", "systemctl x", "systemctl with x", "jcmd x", "mode x",
}  # fmt: skip


def _texts(node: ast.expr) -> Iterator[str]:
    """The reason as it is written, with “x” for each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _reasons() -> set[str]:
    found: set[str] = set()
    for file in _FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = {"block": 0, "escalate": 0, "verdict": 0, "Judgement": 1, "add": 1}.get(name)
            if isinstance(node.func, ast.IfExp):  # (context.block if … else context.escalate)("…")
                place = 0
            if place is not None and len(node.args) > place:
                found |= set(_texts(node.args[place]))
    return found


def test_every_reason_has_its_korean() -> None:
    reasons = _reasons() | {f"x: {why}" for why in BLOCKED.values()}
    assert len(reasons) > 250
    with override("ko"):
        left = sorted(reason for reason in reasons - _TECHNICAL if reason_label(reason) == reason)
    assert not left
    with override("en"):
        assert all(reason_label(reason) == reason for reason in reasons)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cat /etc/shadow", "비밀 정보를 읽음: /etc/shadow"),
        ("userdel bob", "userdel: 계정이나 권한을 변경함"),
        ("frobnicate --now", "알려지지 않은 프로그램: frobnicate"),
    ],
)
def test_what_is_filled_in_stays(command: str, said: str) -> None:
    reason = check_command("shell", command).reason
    with override("ko"):
        assert reason_label(reason) == said
        assert check_command("shell", command).reason == reason, "the check speaks English"


def test_what_is_not_known_stays_as_it_is() -> None:
    with override("ko"):
        assert reason_label("quite another reason: 100%") == "quite another reason: 100%"
