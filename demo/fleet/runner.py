"""The one process under which all servers of a fleet live.

It holds the home's lock, starts the SSH servers and services, adopts and reaps what they leave behind, and ends all of
it when it is told to (SIGTERM, SIGINT) or when the process that wanted the fleet is gone, by SIGKILL too. If the
runner itself is killed, the kernel ends the sshd processes, the services notice the free lock, and the next start
sweeps what is left of running commands.
"""

import asyncio
import fcntl
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from demo.fleet.backends import BackendName
from demo.fleet.children import Child, Children
from demo.fleet.errors import FleetError, PortTaken
from demo.fleet.hosts import HostSpec, taken_ports
from demo.fleet.processes import MARKER, descendants, end_leftovers, marked, send
from demo.fleet.tree import HostTree, lock_file

if TYPE_CHECKING:
    from asyncssh import SSHAcceptor  # optional: only where OpenSSH is missing

_FILES = 16_384  # a thousand hosts and their sessions need more than the usual 1,024
_LOCK_SECONDS = 10.0  # a runner whose parent has just died needs a moment to leave
_ANSWER_SECONDS = 20.0
_STARTUP_SECONDS = 60.0
_PARALLEL_STARTUPS = 4
_GRACE_SECONDS = 4.0


def run_fleet(
    home: Path,
    hosts: Sequence[HostSpec],
    backend: BackendName,
    *,
    version: str,
    parent: int = 0,
    on_ready: Callable[[], None],
) -> None:
    """Serve `hosts` under `home` (absolute) until a signal, or until process `parent` ends (0: nobody's).

    Raises FleetError when they can't be started; whatever was started by then has ended.
    """
    _allow_files(_FILES)
    home.mkdir(parents=True, exist_ok=True)
    with lock_file(home).open("w") as lock:
        _take(lock, home)
        end_leftovers(home)
        taken = taken_ports(hosts)
        if taken:
            address, port = taken[0]
            raise PortTaken(f"{address}:{port} is taken by another program ({len(taken)} such addresses)")
        trees = [HostTree(home, spec) for spec in hosts]
        for tree in trees:
            tree.prepare(version)
            tree.pid_file.unlink(missing_ok=True)  # its process has ended with the leftovers
        asyncio.run(_Runner(home, trees, backend, parent).serve(on_ready))


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def _take(lock: IO[str], home: Path) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise FleetError(f"another fleet already runs under {home}") from None
            time.sleep(0.1)


class _Runner:
    """The servers of one fleet inside one event loop."""

    def __init__(self, home: Path, trees: Sequence[HostTree], backend: BackendName, parent: int) -> None:
        self._home, self._trees, self._backend, self._parent = home, trees, backend, parent
        self._acceptors: list[SSHAcceptor] = []

    async def serve(self, on_ready: Callable[[], None]) -> None:
        stop = asyncio.Event()
        self._watch(stop)
        self._children = Children()
        try:
            start = asyncio.ensure_future(self._start())
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait({start, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                start.result()  # raises what went wrong
                on_ready()
                await stopped
            start.cancel()
            stopped.cancel()
        finally:
            await self._end_all()

    def _watch(self, stop: asyncio.Event) -> None:
        """Set `stop` on a signal or at the parent's end. A pidfd, unlike PDEATHSIG, isn't bound to a thread of it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if not self._parent:
            return
        try:
            watched = os.pidfd_open(self._parent)
        except ProcessLookupError:
            stop.set()
            return
        loop.add_reader(watched, stop.set)
        if os.getppid() != self._parent:
            stop.set()  # it ended before we looked

    async def _start(self) -> None:
        if self._backend == "openssh":
            await self._start_openssh()
        else:
            await self._start_asyncssh()
        gate = asyncio.Semaphore(_PARALLEL_STARTUPS)
        await asyncio.gather(*(self._start_service(tree, gate) for tree in self._trees if tree.spec.has_service))

    async def _start_openssh(self) -> None:
        from demo.fleet.openssh import prepare_machine, start_sshd

        penalties = prepare_machine()
        servers = [(tree, start_sshd(self._children, tree, penalties=penalties)) for tree in self._trees]
        await asyncio.gather(*(self._answers(tree, child) for tree, child in servers))

    async def _start_asyncssh(self) -> None:
        from demo.fleet.asyncssh_host import listen

        for tree in self._trees:
            self._acceptors.append(await listen(self._children, tree))

    async def _answers(self, tree: HostTree, child: Child) -> None:
        """Wait until the host's sshd accepts connections."""
        deadline = time.monotonic() + _ANSWER_SECONDS
        while time.monotonic() < deadline and not child.exited.done():
            try:
                _, writer = await asyncio.open_connection(tree.spec.address, tree.spec.ssh_port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
        raise FleetError(f"the SSH server of {tree.spec.hostname} did not start; see {tree.ssh / 'sshd.log'}")

    async def _start_service(self, tree: HostTree, gate: asyncio.Semaphore) -> None:
        async with gate:
            child = self._children.spawn(
                [str(tree.startup)],
                env={MARKER: str(self._home), "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            code = await asyncio.wait_for(child.exited, _STARTUP_SECONDS)
        if code != 0:
            raise FleetError(f"the service of {tree.spec.hostname} did not start (exit {code}); see {tree.log}")

    async def _end_all(self) -> None:
        """End every process of the fleet: SIGTERM, after a grace SIGKILL, until none is left."""
        for acceptor in self._acceptors:
            acceptor.close()
        deadline = time.monotonic() + _GRACE_SECONDS
        send(self._ours(), signal.SIGTERM)
        while left := self._ours():
            if time.monotonic() > deadline:
                send(left, signal.SIGKILL)
            if time.monotonic() > deadline + _GRACE_SECONDS:
                raise FleetError(f"processes that don't end: {sorted(left)}")
            await asyncio.sleep(0.05)
        for tree in self._trees:
            tree.pid_file.unlink(missing_ok=True)

    def _ours(self) -> set[int]:
        return descendants(os.getpid()) | marked(self._home)
