"""The one quoting function, through a real shell."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from execution.ssh.quoting import render
from guardia.common.errors import InvalidInput


def _shell(line: str, path: str = "/usr/bin:/bin") -> bytes:
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True, env={"PATH": path}).stdout


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=6))
def test_parts_arrive_as_given(parts: list[str]) -> None:
    expected = "\0" + "".join(part + "\0" for part in parts)
    assert _shell(render(["printf", "%s\\0", "", *parts])) == expected.encode()


@pytest.mark.parametrize("name", ["A=b", "if", "time", "!", "{", "%1", "a b", "it's", "$HOME", "도구"])
def test_the_first_word_is_always_a_program(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.write_text('#!/bin/sh\nprintf "%s" "ran $*"\n')
    program.chmod(0o755)
    assert _shell(render([name, "x"]), f"{tmp_path}:/bin") == b"ran x"


def test_plain_commands_stay_readable() -> None:
    assert render(["systemctl", "restart", "tomcat10"]) == "systemctl restart tomcat10"


@pytest.mark.parametrize("argv", [[], [""], ["a\0b"], "rm -rf /", ["\ud800"], [b"x"]])
def test_what_cannot_be_quoted_is_refused(argv: list[str]) -> None:
    with pytest.raises(InvalidInput):
        render(argv)
