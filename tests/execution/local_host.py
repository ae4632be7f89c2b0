"""Steps done by a real local shell, as the engine would: its quoting, expectations and saved values; no network."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from execution.ssh.quoting import render
from execution.steps.expect import resolved, unmet
from execution.steps.library import LIBRARY
from execution.steps.ops import Op

#: Names that break careless scripts.
HOSTILE_NAMES = (
    "a b.log",
    "-rf",
    "new\nline.log",
    "quo'te\".log",
    "$(touch pwned).log",
    "`id`;.log",
    "한글.log",
    "*",
    "\\",
)


class LocalHost:
    """One shell with one set of programs; `home` is where its commands begin."""

    def __init__(self, shell: str, home: Path) -> None:
        self.home, self.saved, self.output = home, dict[str, str](), ""
        self.bin = home.parent / f"{home.name}-bin"
        self.before: list[str] = []
        self.is_busybox = shell == "busybox"
        self.bin.mkdir(parents=True)
        home.mkdir(parents=True, exist_ok=True)
        if shell == "busybox":
            subprocess.run(["busybox", "--install", "-s", str(self.bin)], check=True)
            for name in ("openssl",):
                self.program(name, f'exec {shutil.which(name)} "$@"')
            self.path = str(self.bin)
        else:
            (self.bin / "sh").symlink_to(shutil.which(shell) or shell)
            self.path = f"{self.bin}:{os.environ['PATH']}"

    def program(self, name: str, text: str) -> str:
        """A program of this host, before all others of that name; gives its path."""
        file = self.bin / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return str(file)

    def step(self, kind: str, /, **arguments: Any) -> "LocalStep":
        return LocalStep(self, LIBRARY[kind](**arguments))

    def perform(self, ops: Iterable[Op]) -> str:
        """Why the operations failed; empty when they didn't."""
        self.output = ""
        for op in ops:
            assert op["op"] == "exec", op
            if problem := self._until(op):
                return problem
        return ""

    def _until(self, op: Any) -> str:
        ends = time.monotonic() + op["seconds"]
        while True:
            problem = self._run(op)
            if not problem or not op.get("pause_ms") or time.monotonic() > ends:
                return problem
            time.sleep(op["pause_ms"] / 1000)

    def _run(self, op: Any) -> str:
        line = render([resolved(part, self.saved) for part in op["argv"]])
        done = subprocess.run(
            [*self.before, str(self.bin / "sh"), "-c", line],
            cwd=self.home,
            env={"PATH": self.path, "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            timeout=60,
        )
        stdout = done.stdout.decode(errors="replace")
        self.output += stdout + done.stderr.decode(errors="replace")
        problem = unmet(op["expect"], exit_status=done.returncode, stdout=stdout, saved=self.saved)
        if not problem and "save" in op:
            self.saved[op["save"]] = stdout.strip()
        return problem


class LocalStep:
    """`apply`, `holds` and `undo` say what went wrong, or nothing."""

    def __init__(self, host: LocalHost, step: Any) -> None:
        self.host, self.parts = host, step

    def apply(self) -> str:
        return self.host.perform(self.parts["apply"])

    def holds(self) -> bool:
        return not self.host.perform(self.parts["probe"])

    def undo(self) -> str:
        return self.host.perform(self.parts["undo"])

    def goes_round(self, look: Any) -> None:
        """Doesn't hold; is done, twice; holds; is undone, twice; doesn't hold, and `look()` sees what was before."""
        before = look()
        assert not self.holds(), self.host.output
        assert self.apply() == "", self.host.output
        after = look()
        assert after != before
        assert self.holds(), self.host.output
        saved = dict(self.host.saved)
        assert self.host.perform([op for op in self.parts["apply"] if "save" not in op]) == "", self.host.output
        assert look() == after and self.holds(), self.host.output
        self.host.saved = saved
        for _ in range(2):
            assert self.undo() == "", self.host.output
            assert look() == before
        assert not self.holds()


def tree_of(folder: Path) -> Mapping[str, Any]:
    """Every file and link below a folder with what it holds and its rights."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = str(path.readlink())
        elif path.is_file():
            found[str(path.relative_to(folder))] = (path.read_bytes(), oct(path.stat().st_mode))
    return found
