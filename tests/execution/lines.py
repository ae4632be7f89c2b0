"""Lines between two real peers that a test can cut: TCP to a host, or the socket folder of the database."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connection

Address = Any
_PIECE = 1 << 16


class Line:
    """Whoever connects to `listening` talks to `target`, until the line is cut; mended, it takes new connections."""

    def __init__(self, listening: socket.socket, family: int, target: Address) -> None:
        self._listening, self._family, self._target = listening, family, target
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self.is_cut = False
        self.passed = 0
        """Bytes from the caller to the target."""
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Everything breaks at once, and whoever calls is turned away."""
        with self._lock:
            self.is_cut = True
            for end in self._ends:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self._ends.clear()

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _address = self._listening.accept()
                with self._lock:
                    if self.is_cut:
                        caller.close()
                        continue
                    target = socket.socket(self._family)
                    try:
                        target.connect(self._target)
                    except OSError:
                        caller.close()
                        continue
                    self._ends += [caller, target]
                for source, sink, is_up in ((caller, target, True), (target, caller, False)):
                    threading.Thread(target=self._pass_on, args=(source, sink, is_up), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if is_up:
                    self.passed += len(data)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def tcp_line(target: tuple[str, int]) -> Iterator[tuple[Line, int]]:
    """The line, and its port on the target's own address."""
    with socket.create_server((target[0], 0)) as listening:
        line = Line(listening, socket.AF_INET, target)
        try:
            yield line, listening.getsockname()[1]
        finally:
            line.close()


@contextmanager
def database_line(folder: Path, socket_path: Path) -> Iterator[Line]:
    """A folder with a socket of the same name, through which a process reaches the database as long as we like."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / socket_path.name))
    listening.listen(64)
    line = Line(listening, socket.AF_UNIX, str(socket_path))
    try:
        yield line
    finally:
        line.close()


def when(condition: Callable[[], bool], act: Callable[[], None]) -> threading.Thread:
    """Do it in a thread as soon as the condition holds."""

    def watch() -> None:
        try:
            for _look in range(60_000):
                if condition():
                    act()
                    return
                time.sleep(0.002)
        finally:
            connection.close()  # the thread's own

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread
