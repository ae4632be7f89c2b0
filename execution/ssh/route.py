"""The way to a host: straight, or through jump hosts that are known and logged in to one after the other."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock

from execution.ssh.credentials import authenticate, private_key
from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import Cancelled, ConnectTimeout, JumpFailed, SshError
from execution.ssh.handshake import shake_hands
from execution.ssh.hostkeys import HostKey, parse, require_known
from execution.ssh.jump import forward
from execution.ssh.target import Hop, Secret, Target
from execution.ssh.transport import QuietTransport
from execution.ssh.wire import dial

LONGEST = 3
"""Jump hosts on one way, at most."""
_AT_ONCE = 8
"""Log-ins at one jump host at the same time: sshd begins to drop the eleventh (MaxStartups 10:30:100)."""
_doors: dict[tuple[str, int], BoundedSemaphore] = {}
_making = Lock()


class Route:
    """The connections to the jump hosts of one way, the nearest first. `close` when the target's own is closed."""

    def __init__(self) -> None:
        self.hops: list[QuietTransport] = []

    def reach(self, target: Target, limit: Deadline) -> QuietTransport:
        """TCP and key exchange with a host at the end of the way; no credential is involved yet."""
        limit.check(ConnectTimeout)
        kinds = [parse(line).kind for line in target.host_keys]
        if self.hops:
            return shake_hands(forward(self.hops[-1], target.address, target.port, limit), limit, kinds, target.legacy)
        return shake_hands(dial(target.address, target.port, limit), limit, kinds, target.legacy)

    def log_in(self, target: Target, secret: Secret, limit: Deadline) -> QuietTransport:
        """A connection with a proven, pinned key and an accepted credential. Raises the ConnectFailed family."""
        pinned = tuple(parse(line) for line in target.host_keys)
        if secret.kind == "private_key":
            private_key(secret)  # an unreadable key needs no connection to be refused
        transport = self.reach(target, limit)
        try:
            require_known(transport.server_key, pinned)
            authenticate(transport, target.username, secret, limit)
        except BaseException:
            transport.shut()
            raise
        transport.wire.deadline = None
        return transport

    def extend(self, hop: Hop, limit: Deadline) -> None:
        """Go one jump host further. Raises JumpFailed, Cancelled."""
        try:
            with _door(hop.target, limit):
                self.hops.append(self.log_in(hop.target, hop.secret, limit))
        except Cancelled:
            raise
        except SshError as error:
            raise JumpFailed(hop=hop.target.hostname, reason=error) from error

    def close(self) -> None:
        """End all connections, the farthest first. May be called twice."""
        for transport in reversed(self.hops):
            transport.shut()


def open_route(via: Sequence[Hop], limit: Deadline) -> Route:
    """Log in to each jump host in turn; nothing stays open when one refuses. Raises JumpFailed, Cancelled."""
    if len(via) > LONGEST:
        raise ValueError("too many jump hosts")
    route = Route()
    try:
        for hop in via:
            route.extend(hop, limit)
    except BaseException:
        route.close()
        raise
    return route


def scan_host_key(target: Target, *, deadline: float, via: Sequence[Hop] = ()) -> str:
    """The key line a host shows, without a credential for it; for a person to approve. `deadline` in seconds.

    Raises HostDown, ConnectTimeout, ProtocolMismatch, ConnectionLost, JumpFailed.
    """
    limit = Deadline(deadline)
    route = open_route(via, limit)
    try:
        transport = route.reach(target, limit)
        try:
            return HostKey.of(transport.server_key).line
        finally:
            transport.shut()
    finally:
        route.close()


@contextmanager
def _door(target: Target, limit: Deadline) -> Iterator[None]:
    """Wait until few enough knock at this jump host."""
    with _making:
        door = _doors.setdefault((target.address, target.port), BoundedSemaphore(_AT_ONCE))
    while not door.acquire(timeout=max(limit.slice(), 0.01)):
        limit.check(ConnectTimeout)
    try:
        yield
    finally:
        door.release()
