"""The guardian: one small process per home, parent of its PostgreSQL (`python -m guardia.embedded.guardian HOME`).

It lives as long as somebody holds the users' lock (or for a short grace after that), starts the server again when
it dies, and shuts it down at the end. Killed with SIGKILL, it takes the server along: the kernel sends the server
its shutdown signal, and the next start recovers.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from guardia.embedded.account import server_account
from guardia.embedded.binaries import find_binaries
from guardia.embedded.cluster import Cluster, clear_remains
from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.layout import Layout, State
from guardia.embedded.locks import FileLock

GRACE = 2.0  # seconds without a user before the server stops; a row of commands then shares one server
ALREADY_GUARDED = 3  # exit code
_POLL = 0.2
_READY_TIMEOUT = 3600.0  # the recovery of a large database takes its time, and giving up would only begin it anew
_FAST_SHUTDOWN_TIMEOUT = 60.0  # its last checkpoint; what isn't over then is recovered at the next start
_FORCED_SHUTDOWN_TIMEOUT = 10.0
_MAX_DEATHS_PER_MINUTE = 3
_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class Guardian:
    """Holds the guardian's lock of one home and runs its server until nobody needs it."""

    def __init__(self, layout: Layout, life: FileLock) -> None:
        self._layout = layout
        self._life = life
        self._sealed: FileLock | None = None  # the decision lock, once we have decided to end
        self._deaths: list[float] = []
        clear_remains(layout, patience=_FORCED_SHUTDOWN_TIMEOUT)
        account = server_account(layout.data)
        self._cluster = Cluster(layout, find_binaries(account, layout.root), account)
        self._cluster.prepare()

    def run(self) -> None:
        server = self._start()
        try:
            unused_since: float | None = None
            while signal.sigtimedwait(_STOP_SIGNALS, _POLL) is None and self._life.still_at_its_path():
                if server.poll() is not None:
                    server = self._start_again(server.returncode)
                unused_since = self._unused_since(unused_since)
                if unused_since is not None and time.monotonic() - unused_since >= GRACE and self._seal():
                    break
        finally:
            self._stop(server)

    def _start(self) -> subprocess.Popen[bytes]:
        server = self._cluster.spawn()
        deadline = time.monotonic() + _READY_TIMEOUT
        while not self._cluster.is_ready(server.pid):
            if server.poll() is not None:
                raise EmbeddedError(f"PostgreSQL ended with code {server.returncode} while starting")
            if time.monotonic() > deadline or signal.sigtimedwait(_STOP_SIGNALS, 0.01) is not None:
                self._stop(server)
                raise EmbeddedError("PostgreSQL was stopped before it was ready")
        self._layout.write_state(State(guardian=os.getpid(), postmaster=server.pid))
        return server

    def _start_again(self, code: int) -> subprocess.Popen[bytes]:
        self._layout.clear_state()
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < 60] + [now]
        if len(self._deaths) > _MAX_DEATHS_PER_MINUTE:
            raise EmbeddedError(f"PostgreSQL died {len(self._deaths)} times within a minute, last with code {code}")
        _say(f"PostgreSQL ended unexpectedly with code {code}; starting it again")
        clear_remains(self._layout, patience=1.0)  # its backends notice, unless they are busy
        return self._start()

    def _unused_since(self, before: float | None) -> float | None:
        with FileLock(self._layout.decision_lock) as decision, FileLock(self._layout.users_lock) as users:
            # without the decision lock our look could be taken for a lock by someone who is just arriving
            if decision.try_exclusive() and users.try_exclusive():
                return before if before is not None else time.monotonic()
        return None

    def _seal(self) -> bool:
        """Keep newcomers waiting from now to our end, if there is still no user. They start a new server then."""
        decision = FileLock(self._layout.decision_lock)
        with FileLock(self._layout.users_lock) as users:
            if decision.try_exclusive() and users.try_exclusive():
                self._sealed = decision
                return True
        decision.close()
        return False

    def _stop(self, server: subprocess.Popen[bytes]) -> None:
        if self._life.still_at_its_path():
            self._layout.clear_state()
        for shutdown in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, by force
            patience = _FAST_SHUTDOWN_TIMEOUT if shutdown == signal.SIGINT else _FORCED_SHUTDOWN_TIMEOUT
            server.send_signal(shutdown)
            try:
                server.wait(patience)
                break
            except subprocess.TimeoutExpired:
                _say(f"PostgreSQL didn't stop within {patience:.0f} s of {shutdown.name}")
        if self._life.still_at_its_path():
            self._cluster.remove_socket_dir()


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC guardian: {text}\n")
    sys.stderr.flush()


def main(home: Path) -> int:
    """Guard the home's server. Exit code 0 after a clean end, 1 after an error (told on stderr), 3 if guarded."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    layout = Layout.of(home)
    life = FileLock(layout.guardian_lock)
    try:
        life.exclusive(timeout=2.0)  # somebody who only looks holds it for a moment
    except EmbeddedError:
        return ALREADY_GUARDED
    os.ftruncate(life.fd, 0)
    os.write(life.fd, str(os.getpid()).encode())
    try:
        Guardian(layout, life).run()
    except (EmbeddedError, OSError, subprocess.SubprocessError) as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
