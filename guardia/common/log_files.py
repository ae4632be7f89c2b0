"""Log files that several processes write: JSON lines, one write each, rotated by size and by day.

Each line is one `write` to a file that was opened for appending: the kernel puts lines of different processes one after
the other, whole. To rotate, a process takes the lock beside the file, looks again, and renames it; every process looks
before each line whether the path still leads to the file it has open, and follows. A line that was on its way lands in
the renamed file: none is lost, none is torn, and nobody has to be told.
"""

import fcntl
import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

_STAMP = "%Y%m%dT%H%M%S%f"


class SharedFileHandler(logging.Handler):
    """Appends to `path`. Rotated files are `<path>.<UTC moment>`; of them `keep` stay, for at most `days` days.

    A log that can't be written stops nothing: the process says so once on standard error and goes on trying.
    """

    def __init__(self, path: str | Path, max_bytes: int, days: int, keep: int) -> None:
        super().__init__()
        self.path = Path(path)
        self.max_bytes, self.days, self.keep = max_bytes, days, keep
        self._fd, self._inode, self._is_failing = -1, -1, False

    def emit(self, record: logging.LogRecord) -> None:
        """One line, by one write; called under the handler's lock."""
        line = (self.format(record) + "\n").encode("utf-8", "replace")
        try:
            self._follow()
            if self._is_due(len(line)):
                self._rotate(len(line))
            os.write(self._fd, line)
            self._is_failing = False
        except OSError as error:
            self._shut()
            if not self._is_failing:
                self._is_failing = True
                sys.stderr.write(f"the log {self.path.name} can't be written: {error.strerror}\n")

    def close(self) -> None:
        self._shut()
        super().close()

    def _follow(self) -> None:
        """Open the file, or the one that came in its place."""
        try:
            now_there = self.path.stat().st_ino
        except FileNotFoundError:
            now_there = -1
        if self._fd >= 0 and now_there == self._inode:
            return
        self._shut()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._inode = os.fstat(self._fd).st_ino

    def _is_due(self, more: int) -> bool:
        """Whether the open file is full, or of another day (UTC)."""
        about = os.fstat(self._fd)
        is_old = about.st_size > 0 and int(about.st_mtime // 86_400) < int(time.time() // 86_400)
        return is_old or (about.st_size > 0 and about.st_size + more > self.max_bytes)

    def _rotate(self, more: int) -> None:
        lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._follow()  # somebody may have been first
            if self._is_due(more):
                self.path.rename(f"{self.path}.{datetime.now(UTC).strftime(_STAMP)}")
                self._clean()
                self._follow()
        finally:
            os.close(lock)

    def _clean(self) -> None:
        """Remove what is too old, or too many."""
        rotated = sorted(self.path.parent.glob(f"{self.path.name}.[0-9]*"), reverse=True)
        oldest = time.time() - self.days * 86_400
        for place, path in enumerate(rotated):
            if place >= self.keep or path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)

    def _shut(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
