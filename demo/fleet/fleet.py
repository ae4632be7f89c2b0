"""The fleet as its users see it: start, stop, and the inventory to import."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from demo.fleet.backends import BackendChoice, BackendName, choose_backend
from demo.fleet.errors import FleetError
from demo.fleet.hosts import HostSpec, write_hosts
from demo.fleet.inventory import HostAccess, host_access
from demo.fleet.processes import end_leftovers
from demo.fleet.tree import HostTree

READY = "fleet ready"
FIRST_VERSION = "2.0.0"
_REPOSITORY = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 20.0


class Fleet:
    """Real SSH servers and services on loopback, kept under `home`.

    Starting is repeatable: keys, artefacts and logs under `home` stay, leftovers of a killed fleet are ended first.
    The fleet ends with this process, however that ends. Use it as a context manager, or `start` and `stop`.
    """

    def __init__(
        self,
        home: Path,
        hosts: Sequence[HostSpec],
        *,
        backend: BackendChoice = "auto",
        version: str = FIRST_VERSION,
    ) -> None:
        """`version` is deployed on hosts that have nothing yet. Raises FleetError when `backend` can't work here."""
        self.home = home.resolve()
        self.hosts = list(hosts)
        self.backend: BackendName = choose_backend(backend)
        self._version = version
        self._runner: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """The runner's process id while the fleet is started."""
        return self._runner.pid if self._runner else None

    def start(self, timeout: float | None = None) -> None:
        """Start all hosts; returns when every SSH server listens and every service has come up.

        `timeout` in seconds (default: 30 and half a second per host). Raises FleetError with the reason; nothing runs.
        """
        if self._runner is not None:
            raise FleetError("the fleet is already started")
        self.home.mkdir(parents=True, exist_ok=True)
        hosts_file = self.home / "hosts.json"
        write_hosts(hosts_file, self.hosts)
        with (self.home / "runner.log").open("ab") as log:
            self._runner = subprocess.Popen(
                self._command(hosts_file),
                cwd=_REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        try:
            answer = self._first_line(timeout or 30 + len(self.hosts) / 2)
        except BaseException:  # Ctrl-C while we wait
            self.stop()
            raise
        if not answer.startswith(READY):
            self.stop()
            raise FleetError(answer or f"the fleet did not start in time; see {self.home / 'runner.log'}")

    def stop(self) -> None:
        """End every process of the fleet; what is on the hosts' disks stays. Stopping twice is harmless."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        runner.send_signal(signal.SIGTERM)
        try:
            runner.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            runner.kill()
            runner.wait()
        if runner.stdout:
            runner.stdout.close()
        end_leftovers(self.home)

    def inventory(self) -> list[HostAccess]:
        """What a CMDB import needs for each host, in the hosts' order; the hosts must have been started once."""
        return [host_access(self.tree(spec), self.backend) for spec in self.hosts]

    def tree(self, spec: HostSpec) -> HostTree:
        """The files of one host, as the institution's own staff would look at them."""
        return HostTree(self.home, spec)

    def _command(self, hosts_file: Path) -> list[str]:
        options = ["--home", str(self.home), "--hosts", str(hosts_file), "--backend", self.backend]
        return [
            *(sys.executable, "-m", "demo.fleet", "run", *options),
            *("--version", self._version, "--parent", str(os.getpid())),
        ]

    def _first_line(self, timeout: float) -> str:
        assert self._runner is not None and self._runner.stdout is not None
        readable, _, _ = select.select([self._runner.stdout], [], [], timeout)
        return self._runner.stdout.readline().strip() if readable else ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
