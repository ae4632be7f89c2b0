"""What a remote command left behind, and the digest of its output. Pure."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The end of one command. The texts are hostile data: bounded, decoded with replacement, not escaped."""

    exit_status: int
    stdout: str
    stderr: str
    stdout_bytes: int
    """Bytes the host sent in all, kept or not; `stderr_bytes` likewise."""
    stderr_bytes: int
    sha256: str
    """`output_digest()` of everything that was sent, also of what wasn't kept."""
    truncated: bool
    """One of the streams was longer than what was kept of it (its head)."""
    seconds: float


class Stream:
    """One output stream on the fly: its head, its length and its digest. Memory: `keep` bytes."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._head = bytearray()
        self._hash = hashlib.sha256()
        self.size = 0

    def add(self, data: bytes) -> None:
        self.size += len(data)
        self._hash.update(data)
        room = self._keep - len(self._head)
        if room > 0:
            self._head += data[:room]

    @property
    def truncated(self) -> bool:
        return self.size > len(self._head)

    def text(self) -> str:
        return self._head.decode("utf-8", errors="replace")

    def frame(self) -> bytes:
        return self.size.to_bytes(8, "big") + self._hash.digest()


def combined_digest(stdout: Stream, stderr: Stream) -> str:
    """Hex SHA-256 over two frames, stdout then stderr; a frame is the length (8 bytes, big endian) + its SHA-256.

    The streams arrive interleaved and unbounded, so each is hashed alone first; the lengths keep them apart.
    """
    return hashlib.sha256(stdout.frame() + stderr.frame()).hexdigest()


def output_digest(stdout: bytes, stderr: bytes) -> str:
    """The digest of a `CommandResult` computed from complete streams, for whoever verifies one."""
    out, err = Stream(0), Stream(0)
    out.add(stdout)
    err.add(stderr)
    return combined_digest(out, err)
