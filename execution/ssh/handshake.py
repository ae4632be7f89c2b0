"""From an address to an encrypted line with a proven host key; no credential is involved yet."""

from collections.abc import Iterable

import paramiko

from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import ConnectionLost, ConnectTimeout, ProtocolMismatch
from execution.ssh.transport import QuietTransport
from execution.ssh.wire import Line

_SIGNATURES = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)


def preferred(key_types: Iterable[str]) -> tuple[str, ...]:
    """Host key algorithms, those of the given key types first, so that a server with several shows the pinned one."""
    wanted = [name for kind in key_types for name in _SIGNATURES.get(kind, (kind,)) if name in _KEY_TYPES]
    return tuple(dict.fromkeys([*wanted, *_KEY_TYPES]))


def shake_hands(
    wire: Line, deadline: Deadline, key_types: Iterable[str] = (), legacy: tuple[str, ...] = ()
) -> QuietTransport:
    """Key exchange over an open line. The transport's `server_key` is proven to be the server's, not to be known.

    Raises ConnectTimeout, ProtocolMismatch, ConnectionLost, Cancelled; nothing stays open then.
    """
    wire.deadline = deadline
    transport = QuietTransport(wire, preferred(key_types), legacy)
    try:
        transport.start_client()
    except BaseException as error:
        transport.shut()
        if not isinstance(error, paramiko.SSHException | EOFError | OSError):
            raise
        deadline.check(ConnectTimeout)
        if line_broke(error):
            raise ConnectionLost from error
        raise ProtocolMismatch(reason=str(error)[:200]) from error
    return transport


def line_broke(error: BaseException) -> bool:
    """The socket ended, directly or as what paramiko wrapped."""
    return isinstance(error, EOFError | OSError) or isinstance(error.__context__, EOFError | OSError)
