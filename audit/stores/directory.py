"""A directory with one file per checkpoint; append-only where the file system lets us say so.

Files are made once, never replaced: `000000000001.json`. With the append-only attribute on the directory (`chattr +a`,
needs root and ext4, xfs or btrfs) even their owner can't delete or rename one.
"""

import fcntl
import os
import re
import struct
from pathlib import Path

_GET_FLAGS, _SET_FLAGS, _APPEND = 0x80086601, 0x40086602, 0x20  # linux/fs.h
_NAME = re.compile(r"(\d{12})\.json")


class DirectoryStore:
    def __init__(self, path: Path, *, append_only: bool = True) -> None:
        self.path, self._append_only = path, append_only
        self.name = "directory"

    def put(self, number: int, line: str) -> None:
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        content = line.encode() + b"\n"
        path = self.path / f"{number:012}.json"
        try:
            descriptor: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            descriptor = self._torn(path, content)
        if descriptor is None:
            return
        with os.fdopen(descriptor, "ab") as file:
            file.write(content[file.tell() :])
            file.flush()
            os.fsync(file.fileno())
        self._seal_directory()

    @staticmethod
    def _torn(path: Path, content: bytes) -> int | None:
        """A file that a crash left half written is completed; None when it is whole. Anything else is left alone."""
        there = path.read_bytes()
        if there == content:
            return None
        if not content.startswith(there):
            raise FileExistsError(f"{path.name} holds another checkpoint")
        return os.open(path, os.O_WRONLY | os.O_APPEND)

    def lines(self) -> list[str]:
        """The checkpoints in the order of their names; a torn last line stays torn."""
        if not self.path.is_dir():
            return []
        names = sorted(path for path in self.path.iterdir() if _NAME.fullmatch(path.name))
        return [path.read_text("utf-8", "replace").removesuffix("\n") for path in names]

    def state(self) -> str:
        return "append-only" if self._flags() & _APPEND else "ordinary directory"

    def _seal_directory(self) -> None:
        if self._append_only and not self._flags() & _APPEND:
            self._change_flags(_APPEND)

    def _flags(self) -> int:
        try:
            with _opened(self.path) as directory:
                answer = fcntl.ioctl(directory.fd, _GET_FLAGS, struct.pack("l", 0))
            return int(struct.unpack("l", answer)[0]) & 0xFFFFFFFF
        except OSError:
            return 0  # the file system knows no attributes, or there is no directory yet

    def _change_flags(self, add: int) -> None:
        try:
            with _opened(self.path) as directory:
                fcntl.ioctl(directory.fd, _SET_FLAGS, struct.pack("l", self._flags() | add))
        except OSError:
            return  # not root, or not this file system: `state` says so


class _opened:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "_opened":
        self.fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)
