"""The lines of several processes on one terminal, each with the name of who said it."""

import os
from typing import IO, TextIO

_COLOURS = (36, 33, 35, 32, 34)  # cyan, yellow, magenta, green, blue
_LONGEST_LINE = 65536  # bytes; a longer one is broken, so that memory stays bounded


class Console:
    """Where the lines go. Coloured on a terminal, unless NO_COLOR is set (no-color.org)."""

    def __init__(self, stream: TextIO, names: list[str]) -> None:
        self._stream = stream
        coloured = stream.isatty() and "NO_COLOR" not in os.environ
        width = max(map(len, names), default=0)
        self._prefixes = {
            name: f"\x1b[{_COLOURS[i % len(_COLOURS)]}m{name:<{width}} |\x1b[0m " if coloured else f"{name:<{width}} | "
            for i, name in enumerate(names)
        }

    def write(self, name: str, line: str) -> None:
        """Raises BrokenPipeError when nobody reads any more."""
        self._stream.write(f"{self._prefixes[name]}{line}\n")
        self._stream.flush()


class LineReader:
    """Cuts what comes from a non-blocking pipe into lines."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._rest = b""
        os.set_blocking(pipe.fileno(), False)

    @property
    def fd(self) -> int:
        return self._pipe.fileno()

    def read(self) -> tuple[list[str], bool]:
        """The complete lines of the next chunk, and whether there may be more now.

        When the pipe has ended, the last line comes too, complete or not.
        """
        try:
            chunk = os.read(self.fd, _LONGEST_LINE)
        except BlockingIOError:
            return [], False
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if self._rest and (not chunk or len(self._rest) >= _LONGEST_LINE):
            lines.append(self._rest)
            self._rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in lines], bool(chunk)

    def close(self) -> None:
        self._pipe.close()
