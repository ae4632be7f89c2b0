"""Workers that start in no time: a process that has loaded Guardia once and forks one for each run it is told of.

As a program (`python -m tests.execution.driver`) it reads lines of JSON; as a module it gives the tests `drivers()`. A
worker may be told a place where it is to be killed, as exactly as nobody outside could: the kill is real, a SIGKILL.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from tests.execution.worker import LEASE_SECONDS, database_url

#: Phase, step and moment: "told" – its row is committed and nothing was sent; "in" – some time after the first command
#: was sent; "done" – its last command has ended and no row says so.
Place = tuple[str, str, str]
MOMENTS = ("told", "in", "done")


class Drivers:
    """Start a worker on a run, kill it without a word, or let it be killed at a place."""

    def __init__(self, log: Path, url: str = "") -> None:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "guardia.settings",
            "GUARDIA_HOME": str(settings.GUARDIA_HOME),
            "GUARDIA_DATABASE_URL": url or database_url(),
            "GUARDIA_SECRET_KEY": settings.SECRET_KEY,
            "GUARDIA_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.execution.driver"],
                cwd=settings.BASE_DIR,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._say, self._answers = self._process.stdin, self._process.stdout

    def drive(self, run_pk: int, *, until: Place | None = None, delay: float = 0) -> int:
        """The pid of a new worker on that run. `until`: where it dies, if it comes there; `delay`: of a death "in"."""
        return int(self._ask("drive", run_pk, until, delay))

    def kill(self, pid: int) -> None:
        self._ask("kill", pid)

    def end(self, pid: int) -> str:
        """Wait: "killed" or "ended"."""
        return str(self._ask("wait", pid))

    def close(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def _ask(self, *words: object) -> Any:
        self._say.write(json.dumps(words) + "\n")
        self._say.flush()
        return json.loads(self._answers.readline())


@contextmanager
def drivers(log: Path, url: str = "") -> Iterator[Drivers]:
    started = Drivers(log, url)
    try:
        yield started
    finally:
        started.close()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at(place: Place, delay: float) -> None:
    """Put the trap into this process: the first host that comes to the place takes everybody along."""
    from execution.gate.session import HostSession
    from execution.rollout.host import HostWorker

    here = threading.local()
    begin, perform = HostWorker._begin, HostSession.perform
    *at, moment = place

    def begun(self: Any, order: int, name: str, ops: Any) -> Any:
        result = begin(self, order, name, ops)
        here.is_there = [str(self.phase), name] == at
        if here.is_there and moment == "told":
            _die()
        return result

    def performed(self: Any, *about: Any, **more: Any) -> Any:
        is_there, here.is_there = getattr(here, "is_there", False), False
        if is_there and moment == "in":
            threading.Timer(delay, _die).start()
        outcome = perform(self, *about, **more)
        if is_there and moment == "done":
            _die()
        return outcome

    HostWorker._begin, HostSession.perform = begun, performed  # type: ignore[method-assign]


def _drive(run_pk: int, place: Place | None, delay: float) -> int:
    from execution.rollout.drive import drive_run

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if place:
                _die_at(place, delay)
            drive_run(run_pk)
            code = 0
        finally:
            os._exit(code)
    return pid


def _main() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        verb, number, *more = json.loads(line)
        answer: object = number
        if verb == "drive":
            answer = _drive(number, *more)
        elif verb == "kill":
            os.kill(number, signal.SIGKILL)
            os.waitpid(number, 0)
        else:
            _pid, status = os.waitpid(number, 0)
            answer = "killed" if os.WIFSIGNALED(status) else "ended" if status == 0 else "failed"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _main()
