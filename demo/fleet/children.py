"""The one place of the runner that starts processes and reaps them.

The runner adopts the daemons its hosts leave behind, so it must reap processes it never started; anything else that
waits for children (asyncio's own watcher, `Popen.wait`) would race with that. All of it runs in the loop's thread.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.fleet.processes import adopt_orphans, die_with_parent


@dataclass(slots=True)
class Child:
    """A started process; `exited` resolves to its exit code, negative for a signal as in `subprocess`."""

    process: subprocess.Popen[bytes]
    exited: "asyncio.Future[int]"


class Children:
    """Starts processes and reaps all that end, adopted ones included."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._known: dict[int, Child] = {}
        adopt_orphans()
        self._loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def spawn(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        bound: bool = False,
        **streams: Any,
    ) -> Child:
        """Start `command` in a session of its own; a `bound` one dies with the runner. Raises OSError."""
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=die_with_parent if bound else None,
            **streams,
        )
        child = Child(process, self._loop.create_future())
        self._known[process.pid] = child
        return child

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._known.pop(pid, None)
            if child is None:
                continue  # an adopted daemon
            code = os.waitstatus_to_exitcode(status)
            child.process.returncode = code
            if not child.exited.done():
                child.exited.set_result(code)
