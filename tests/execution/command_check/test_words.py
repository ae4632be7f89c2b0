"""What we say a word becomes is what bash makes of it. Nothing of these words is ever run: `printf` shows them."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.command_check.context import Budget, Context, Surroundings, is_static
from execution.command_check.programs import judge_argv
from execution.command_check.shell import Walker, judge_script
from execution.command_check.tree import accounts_for_all, parse_line
from execution.command_check.verdict import Findings, Verdict

#: No `$(`, no backtick, no redirection: only words.
_PIECES = ["a", "b.c", "/", "''", "'x y'", '"q r"', '"\\""', "\\ ", "\\'", "$'\\x41'", "$'\\101\\n'", "$'\\u00e9'", "{1,2}", "{a,b}c", "{", "}", ",",
           "=", ":", "-n", "%", "@", "#", "가", "~x", '"\\a"', "'\\'", '""', "{x}", "{1..3}", "^", "+", "$v", '"$v"', "${v}", "!"]  # fmt: skip
_SETTINGS = settings(max_examples=150, deadline=None, database=None)


def ours(line: str) -> tuple[list[str], Verdict]:
    context = Context(Surroundings(), Findings(), Budget(), judge_script, judge_argv, variables={"v": "p q"})
    root = parse_line(line.encode())
    if (
        root.has_error
        or not accounts_for_all(root, line.encode())
        or not root.children
        or root.children[0].type != "command"
    ):
        return [], Verdict.ESCALATE
    return Walker(line.encode()).words_of(context, root.children[0], judged=True), context.findings.worst.verdict


def bashs(line: str, folder: Path) -> list[str] | None:
    done = subprocess.run(
        ["bash", "--norc", "-c", f"v='p q'; printf '%s\\0' _ {line.removeprefix('echo ')}"],
        cwd=folder, capture_output=True, timeout=10, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/nowhere"}, check=False,
    )  # fmt: skip
    return done.stdout.decode(errors="replace").split("\0")[1:-1] if done.returncode == 0 else None


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


@_SETTINGS
@given(words=st.lists(st.lists(st.sampled_from(_PIECES), min_size=1, max_size=4).map("".join), min_size=1, max_size=3))
def test_words_become_what_bash_makes_of_them(empty: Path, words: list[str]) -> None:
    line = "echo " + " ".join(words)
    read, verdict = ours(line)
    if verdict is not Verdict.ALLOW or not all(map(is_static, read)) or not read:
        return  # not claimed to be understood
    if words[0].startswith("-"):
        return  # an option of our own printf
    assert read[1:] == bashs(line, empty), line
