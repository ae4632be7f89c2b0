"""Host keys: reading pinned lines, comparing, naming by fingerprint. There is no auto-add."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache

import paramiko

from execution.ssh.exceptions import BadHostKeyLine, ChangedHostKey, UnknownHostKey


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public host key: its type as in `ssh-ed25519`, and its wire form."""

    kind: str
    blob: bytes

    @classmethod
    def of(cls, key: paramiko.PKey) -> "HostKey":
        return cls(key.get_name(), key.asbytes())

    @property
    def fingerprint(self) -> str:
        """As OpenSSH shows it: `SHA256:` and unpadded base64."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def line(self) -> str:
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"


@lru_cache(maxsize=8192)
def parse(line: str) -> HostKey:
    """Read `type base64 [comment]`. Raises BadHostKeyLine."""
    fields = line.split()
    try:
        kind, blob = fields[0], base64.b64decode(fields[1], validate=True)
        name = kind.encode("ascii")
    except (IndexError, binascii.Error, ValueError) as error:
        raise BadHostKeyLine from error
    if len(blob) <= 4 + len(name) or blob[: 4 + len(name)] != len(name).to_bytes(4, "big") + name:
        raise BadHostKeyLine
    return HostKey(kind, blob)


def fingerprint(line: str) -> str:
    """`SHA256:…` of a public key line. Raises BadHostKeyLine."""
    return parse(line).fingerprint


def require_known(offered: paramiko.PKey, pinned: tuple[HostKey, ...]) -> None:
    """Refuse a host whose key isn't one of the pinned ones. Raises UnknownHostKey or ChangedHostKey."""
    shown = HostKey.of(offered)
    if not pinned:
        raise UnknownHostKey(offered=shown.fingerprint)
    if all(shown.blob != key.blob for key in pinned):
        expected = next((key for key in pinned if key.kind == shown.kind), pinned[0])
        raise ChangedHostKey(offered=shown.fingerprint, pinned=expected.fingerprint)
