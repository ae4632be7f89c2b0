"""One supervised child of a `ProcessGroup`: started on a leash, counted when it dies."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from guardia.common.masking import StreamMask, mask_all
from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.leash import SPARED
from guardia.embedded.linux import command_line, processes_with
from guardia.embedded.output import LineReader

_MARK = "GUARDIA_LEASH"  # in the environment of the child and of what it forks
_FIRST_DELAY = 0.25  # seconds before the first restart; doubled for each death within a minute
_LONGEST_DELAY = 10.0
_LEASH_MARGIN = 5.0  # seconds for the leash to kill what the child left, after the child's own time
_LONGEST_LINE = 256 * 1024  # the reader breaks longer ones before


@dataclass
class Child:
    """A program to keep running. `env` is its whole environment (ours if None)."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    reader: LineReader | None = field(default=None, init=False)
    mask: StreamMask = field(default_factory=lambda: StreamMask(mask_all, _LONGEST_LINE), init=False)
    restart_at: float | None = field(default=None, init=False)
    _mark: str = field(default="", init=False)
    _deaths: list[float] = field(default_factory=list, init=False)

    def start(self, stop_timeout: float) -> None:
        """Start it on a leash, in a session of its own. Its output and errors come through `reader`."""
        environment = dict(os.environ if self.env is None else self.env)
        source = Path(__file__).resolve().parents[2]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(source), environment.get("PYTHONPATH"))))
        environment[_MARK] = self._mark = secrets.token_hex(8)
        leash = [sys.executable, "-m", "guardia.embedded.leash", str(os.getpid()), str(stop_timeout), "--"]
        self.process = subprocess.Popen(  # noqa: S603 (what our caller asks for, without a shell)
            [*leash, *self.argv],
            env=environment,
            cwd=self.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if self.process.stdout is None:
            raise EmbeddedError(f"{self.name} has no output")
        self.reader = LineReader(self.process.stdout)
        self.restart_at = None

    def bury(self) -> int:
        """After its end: count the death, plan the restart; returns how many there were within the last minute."""
        self.kill_orphans()
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < 60] + [now]
        self.restart_at = now + min(_FIRST_DELAY * 2 ** (len(self._deaths) - 1), _LONGEST_DELAY)
        self.process = None
        return len(self._deaths)

    def ask_to_stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def outlasted(self, asked_at: float, stop_timeout: float) -> bool:
        return time.monotonic() > asked_at + stop_timeout + _LEASH_MARGIN

    def kill_orphans(self) -> None:
        """After its end: if the leash itself was killed, do its work and kill what it left."""
        if self.process is None or (self.process.returncode or 0) >= 0:
            return
        while remaining := [pid for pid in processes_with(_MARK, self._mark) if SPARED not in command_line(pid)]:
            for pid in remaining:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def kill_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
