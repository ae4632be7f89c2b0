"""File locks that the kernel releases when their holder dies, however it dies (flock(2))."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from guardia.embedded.exceptions import EmbeddedError

_POLL_SECONDS = 0.02


class FileLock:
    """One open file with at most one flock on it.

    A forked child shares the lock: it stays until the last of them has closed the file or died. So we only ever
    close, and never unlock (that would unlock it for all).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError as error:
            raise EmbeddedError(f"{path} belongs to somebody else; run as its owner, or use another home") from error

    @property
    def fd(self) -> int:
        if self._fd is None:
            raise EmbeddedError(f"the lock {self.path} is closed")
        return self._fd

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def exclusive(self, timeout: float) -> Self:
        """Wait for the lock, at most `timeout` seconds; raises EmbeddedError after that."""
        deadline = time.monotonic() + timeout
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                self.close()
                raise EmbeddedError(f"another process has held {self.path} for {timeout:.0f} s")
            time.sleep(_POLL_SECONDS)
        return self

    def still_at_its_path(self) -> bool:
        """Whether the path still names this file; if not, the folder was removed or made anew."""
        try:
            return os.path.samestat(os.fstat(self.fd), self.path.stat())
        except FileNotFoundError:
            return False

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def is_held(path: Path) -> bool:
    """Whether some process holds the exclusive lock on `path`. Looking takes a shared lock for a moment."""
    if not path.exists():
        return False
    with FileLock(path) as probe:
        return not probe.try_shared()
