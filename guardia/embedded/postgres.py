"""The embedded PostgreSQL as its users see it: take a lease, use the URL, let go.

    with EmbeddedPostgres(home).ensure_running():
        ...  # EmbeddedPostgres(home).url works here

Starting and stopping is decided under one file lock per home; each user holds a shared lock that the kernel
releases when it dies. The `guardian` process does the rest.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from guardia.embedded.cluster import clear_remains, read_postmaster_file
from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.guardian import ALREADY_GUARDED
from guardia.embedded.layout import SOCKET_NAME, Layout
from guardia.embedded.linux import command_line, processes_at_work_in
from guardia.embedded.locks import FileLock, is_held

logger = logging.getLogger(__name__)
_START_TIMEOUT = 3600.0  # seconds: a large database recovers from a crash as fast as its disk is
_QUIET_SECONDS = 15.0  # of waiting, before it is told what for
_GUARDIAN_MODULE = "guardia.embedded.guardian"
_LOG_LIMIT = 5_000_000  # bytes; then the log starts again and the old one is kept once


@dataclass(frozen=True)
class Status:
    """`stale` means: no guardian, but a killed server left its traces; the next start recovers."""

    state: Literal["running", "starting", "stopped", "stale"]
    postmaster: int | None = None
    guardian: int | None = None


class EmbeddedPostgres:
    """The server of one home (GUARDIA_HOME). Any number of processes may use any number of these."""

    def __init__(self, home: Path) -> None:
        self._layout = Layout.of(home)

    @property
    def url(self) -> str:
        """`postgres://…?host=<socket folder>`; known from the first start on, and the same over restarts."""
        return self._layout.url()

    def ensure_running(self) -> "Lease":
        """Start the server if it isn't running (creating it if need be) and register this process as a user.

        Raises EmbeddedError with the end of the server's log if it can't be started.
        """
        self._layout.prepare()
        with FileLock(self._layout.decision_lock).exclusive(_START_TIMEOUT):
            users = FileLock(self._layout.users_lock)
            try:
                if not users.try_shared():
                    raise EmbeddedError(f"{users.path} is locked by a process that isn't ours")
                return Lease(self, users, self._serve())
            except BaseException:
                users.close()
                raise

    def status(self) -> Status:
        guardian = self._guardian_pid()
        lines = read_postmaster_file(self._layout.data)
        postmaster = int(lines[0]) if lines else None
        if guardian is not None:
            return Status("running" if self._answers() else "starting", postmaster, guardian)
        if lines or processes_at_work_in(self._layout.data, "postgres"):
            return Status("stale", postmaster)
        return Status("stopped")

    def stop(self, timeout: float = 10) -> None:
        """Stop the server now, whoever uses it. `timeout` seconds for a clean end, then by force."""
        if not self._layout.root.exists():
            return
        with FileLock(self._layout.decision_lock).exclusive(_START_TIMEOUT):
            self._shut_down(timeout)

    def stop_if_unused(self, timeout: float = 10) -> None:
        """Stop the server unless somebody holds a lease."""
        if not self._layout.root.exists():
            return
        with FileLock(self._layout.decision_lock).exclusive(_START_TIMEOUT):
            with FileLock(self._layout.users_lock) as users:
                unused = users.try_exclusive()
            if unused:
                self._shut_down(timeout)

    def revive(self) -> subprocess.Popen[bytes] | None:
        """Start the server again if its guardian was killed; returns the new guardian, if we had to start one."""
        if self._answers():
            return None
        self._layout.prepare()
        with FileLock(self._layout.decision_lock).exclusive(_START_TIMEOUT):
            return self._serve()

    def _serve(self) -> subprocess.Popen[bytes] | None:
        """Under the decision lock: wait for the server, starting a guardian if there is none."""
        guardian: subprocess.Popen[bytes] | None = None
        log_start = 0
        deadline, told_at = time.monotonic() + _START_TIMEOUT, time.monotonic() + _QUIET_SECONDS
        while not self._answers():
            if told_at < time.monotonic():
                logger.warning("the embedded PostgreSQL is still starting, see %s", self._layout.log)
                told_at = deadline
            if guardian is not None and guardian.poll() is not None:
                if guardian.returncode != ALREADY_GUARDED:
                    raise EmbeddedError(f"the embedded PostgreSQL didn't start: {self._log_since(log_start)}")
                guardian = None
            if guardian is None and self._guardian_pid() is None:
                self._layout.clear_state()
                log_start = self._rotate_log()
                guardian = self._spawn_guardian()
            if time.monotonic() > deadline:
                raise EmbeddedError(f"the embedded PostgreSQL isn't ready after {_START_TIMEOUT:.0f} s")
            time.sleep(0.02)
        return guardian

    def _spawn_guardian(self) -> subprocess.Popen[bytes]:
        source = Path(__file__).resolve().parents[2]
        path = os.pathsep.join(filter(None, (str(source), os.environ.get("PYTHONPATH"))))
        with self._layout.log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-m", _GUARDIAN_MODULE, str(self._layout.home)],
                cwd="/",
                env=os.environ | {"PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C for its starter isn't meant for it
            )

    def _answers(self) -> bool:
        if self._layout.read_state() is None or self._guardian_pid() is None:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(self._layout.socket_dir / SOCKET_NAME))
            except (ConnectionError, FileNotFoundError, TimeoutError):
                return False
        return True

    def _guardian_pid(self) -> int | None:
        """The living guardian; 0 while it is about to write its number."""
        path = self._layout.guardian_lock
        return int(path.read_text() or 0) if is_held(path) else None

    def _shut_down(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        asked = 0
        while (guardian := self._guardian_pid()) is not None:
            # the number may still be that of a killed one before it, hence the look at the command line
            if guardian != asked and _GUARDIAN_MODULE in command_line(guardian):
                asked = guardian
                _send(guardian, signal.SIGTERM)
            if asked and time.monotonic() > deadline:
                _send(asked, signal.SIGKILL)
            if time.monotonic() > deadline + 5:
                raise EmbeddedError(f"the guardian {guardian} of {self._layout.home} doesn't end")
            time.sleep(0.02)
        clear_remains(self._layout, patience=max(0.0, deadline - time.monotonic()))
        self._layout.clear_state()

    def _rotate_log(self) -> int:
        log = self._layout.log
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.rename(log.with_suffix(".log.1"))
        return log.stat().st_size if log.exists() else 0

    def _log_since(self, start: int) -> str:
        with self._layout.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace").strip()[-2000:] or "it says nothing"


class Lease:
    """The use of a running server by this process (and the children it forks). Leaves it as it found it."""

    def __init__(self, server: EmbeddedPostgres, users: FileLock, guardian: subprocess.Popen[bytes] | None) -> None:
        self._server = server
        self._users = users
        self._guardian = guardian
        self._owner = os.getpid()
        self._released = False

    @property
    def started(self) -> bool:
        """Whether this lease started the server."""
        return self._guardian is not None

    @property
    def url(self) -> str:
        return self._server.url

    def revive(self) -> bool:
        """Start the server again if it was killed together with its guardian; says whether it had to."""
        if self._guardian is not None:
            self._guardian.poll()  # a dead child is a zombie until somebody looks
        guardian = self._server.revive()
        self._guardian = guardian or self._guardian
        return guardian is not None

    def release(self) -> None:
        """Let go. The server stops at once if this lease started it and nobody else uses it."""
        if self._released:
            return
        self._released = True
        self._users.close()
        # a forked child inherits the lease as a use, but not the duty to stop what its parent started
        if self._guardian is not None and self._owner == os.getpid():
            self._server.stop_if_unused()
            self._guardian.poll()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.release()


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
