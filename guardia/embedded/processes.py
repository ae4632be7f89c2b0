"""The supervisor of `up`: keeps the web server, the worker and the like running, and takes them down in order."""

import selectors
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TextIO

from guardia.embedded.child import Child
from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.output import Console

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL = 0.1
_HEARTBEAT_SECONDS = 1.0
_OWN_NAME = "guardia"


class ProcessGroup:
    """Children that run together until a signal, or until one of them keeps dying.

    `stop_timeout`: seconds each child has between SIGTERM and SIGKILL. `max_restarts`: how often one child may die
    within a minute. `heartbeat`: called about once a second from the loop (`lease.revive`, for one); its EmbeddedError
    is shown and doesn't end the group.

    Nothing outlives the supervisor, not even its SIGKILL: each child runs on a `leash`.
    """

    def __init__(
        self,
        *,
        stop_timeout: float = 10.0,
        max_restarts: int = 5,
        heartbeat: Callable[[], object] | None = None,
        output: TextIO | None = None,
    ) -> None:
        self._stop_timeout = stop_timeout
        self._max_restarts = max_restarts
        self._heartbeat = heartbeat
        self._output = output or sys.stdout
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._console: Console | None = None
        self._stopping = False
        self._exit_code = 0

    def add(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> None:
        """Add a child; they start in this order and stop in the reverse one."""
        self._children.append(Child(name, argv, env, cwd))

    def request_stop(self, exit_code: int = 0) -> None:
        """Make `run` stop the children and return `exit_code`; may be called from the heartbeat or a thread."""
        self._exit_code = self._exit_code or exit_code
        self._stopping = True

    def run(self) -> int:
        """Run until asked to stop. Returns 0, or 1 if a child kept dying or nobody reads our output any more."""
        self._console = Console(self._output, [*(child.name for child in self._children), _OWN_NAME])
        with self._signals():
            try:
                for child in self._children:
                    self._start(child)
                self._watch()
            finally:
                for child in reversed(self._children):
                    self._stop(child)
                self._selector.close()
        return self._exit_code

    def _watch(self) -> None:
        next_beat = time.monotonic() + _HEARTBEAT_SECONDS
        while not self._stopping:
            self._relay(_POLL)
            for child in self._children:
                self._tend(child)
            if self._heartbeat is not None and time.monotonic() >= next_beat:
                next_beat = time.monotonic() + _HEARTBEAT_SECONDS
                self._beat(self._heartbeat)

    def _beat(self, heartbeat: Callable[[], object]) -> None:
        try:
            heartbeat()
        except EmbeddedError as error:
            self._say(_OWN_NAME, str(error))

    def _tend(self, child: Child) -> None:
        if child.process is not None and child.process.poll() is not None:
            code = child.process.returncode
            deaths = child.bury()
            self._drain(child)
            if deaths > self._max_restarts:
                self._say(_OWN_NAME, f"{child.name} ended {deaths} times within a minute (code {code}); stopping")
                self.request_stop(1)
            else:
                self._say(_OWN_NAME, f"{child.name} ended with code {code}; starting it again")
        elif child.restart_at is not None and time.monotonic() >= child.restart_at:
            self._start(child)

    def _start(self, child: Child) -> None:
        if not self._stopping:
            child.start(self._stop_timeout)
            if child.reader is not None:
                self._selector.register(child.reader.fd, selectors.EVENT_READ, child)

    def _stop(self, child: Child) -> None:
        if child.process is None:
            return
        child.ask_to_stop()
        asked_at = time.monotonic()
        while child.process.poll() is None:
            self._relay(_POLL)
            if child.outlasted(asked_at, self._stop_timeout):
                child.kill_group()
        child.kill_orphans()
        self._drain(child)

    def _relay(self, timeout: float) -> None:
        """Pass on what the children say, waiting at most `timeout` seconds for a word."""
        for key, _ in self._selector.select(timeout):
            self._pass_on(key.data)

    def _drain(self, child: Child) -> None:
        """After its end: pass on its last words and close the pipe."""
        if child.reader is None:
            return
        while self._pass_on(child):
            continue
        self._selector.unregister(child.reader.fd)
        child.reader.close()
        child.reader = None

    def _pass_on(self, child: Child) -> bool:
        """Whether there may be more."""
        if child.reader is None:
            return False
        lines, more = child.reader.read()
        for line in lines:
            self._say(child.name, child.mask.feed(f"{line}\n").removesuffix("\n"))  # whatever a library prints
        return more

    def _say(self, name: str, line: str) -> None:
        if self._console is None:
            return
        try:
            self._console.write(name, line)
        except BrokenPipeError:
            self._console = None
            self.request_stop(1)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def on_signal(number: int, frame: FrameType | None) -> None:
            self.request_stop()

        before = {number: signal.signal(number, on_signal) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
