"""Where to connect, whom to believe, and with which credential. Plain values."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """One account on one host. Holds no secret; may be logged."""

    hostname: str
    """The name people know; used in messages only."""
    address: str
    """An IPv4 or IPv6 address. Names aren't resolved here: a look-up can't be bounded by a deadline."""
    port: int
    username: str
    host_keys: tuple[str, ...] = ()
    """Pinned public keys as `ssh-ed25519 AAAA…` lines; empty means the key is unknown and the host is refused."""
    legacy: tuple[str, ...] = ()
    """Old algorithms this host may use (`execution.ssh.legacy`)."""


@dataclass(frozen=True, slots=True, repr=False, eq=False, weakref_slot=True)
class Secret:
    """A password or a private key in PEM or OpenSSH format. Compared by identity; never shows its value.

    Share one object between the hosts of a run: the parsed key is kept as long as the object lives.
    """

    kind: Literal["password", "private_key"]
    value: str
    passphrase: str | None = None

    def __repr__(self) -> str:
        return f"Secret(kind={self.kind!r}, value='***')"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret doesn't leave the process")


@dataclass(frozen=True, slots=True, repr=False)
class Hop:
    """A jump host on the way to a target, and how to log in there."""

    target: Target
    secret: Secret
