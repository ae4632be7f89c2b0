"""The socket as paramiko sees it: buffered reads, no waiting beyond a slice, cut off when the operation is overdue.

Paramiko's reader thread spends its life in `recv`; here it looks at the current operation's deadline every slice
(`slice_seconds`), which makes it the watchdog of the connection: when it cuts the line, every wait of paramiko ends.
"""

import select
import socket
from typing import Protocol

from execution.ssh.deadline import Deadline, slice_seconds
from execution.ssh.exceptions import ConnectTimeout, HostDown

READ_SIZE = 1 << 18
"""Bytes asked from the kernel at once; many small packets then cost one system call."""
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux only


class Line(Protocol):
    """What a transport speaks over: a socket, or a channel through a jump host. See `Wire` for each method."""

    deadline: Deadline | None

    def recv(self, size: int) -> bytes: ...
    def send(self, data: bytes) -> int: ...
    def check(self) -> None: ...
    def settimeout(self, seconds: float | None) -> None: ...
    def getpeername(self) -> object: ...
    def close(self) -> None: ...
    def release(self) -> None: ...


class Wire:
    """A connected, non-blocking TCP socket with the methods paramiko asks of a socket-like object."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._closed = False  # paramiko looks at this name
        self._buffer = b""
        self._at = 0
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(sock, select.POLLIN)
        self._writable.register(sock, select.POLLOUT)
        self.deadline: Deadline | None = None
        """Of the operation under way; None between operations."""

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end; TimeoutError after a slice without data; EOFError when cut off."""
        if self._at == len(self._buffer):
            self._buffer, self._at = self._fill(), 0
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        return data

    def _fill(self) -> bytes:
        for _attempt in range(2):
            self.check()
            try:
                data = self._sock.recv(READ_SIZE)
            except BlockingIOError:
                self._readable.poll(slice_seconds() * 1000)
            else:
                _acknowledge_at_once(self._sock)
                return data
        raise TimeoutError

    def send(self, data: bytes) -> int:
        """Send what fits; TimeoutError after a slice without room; EOFError when cut off."""
        for _attempt in range(2):
            self.check()
            try:
                return self._sock.send(data)
            except BlockingIOError:
                self._writable.poll(slice_seconds() * 1000)
        raise TimeoutError

    def check(self) -> None:
        """Raise EOFError when the line is closed or the operation overdue."""
        if self._closed or (self.deadline is not None and self.deadline.overdue):
            raise EOFError

    def settimeout(self, seconds: float | None) -> None:
        """Paramiko's own timeouts don't apply: the deadline does."""

    def getpeername(self) -> object:
        return self._sock.getpeername()

    def close(self) -> None:
        """End the conversation and wake whoever reads. The descriptor stays until `release`: it may be in a poll."""
        self._closed = True
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # the other side was faster
            return

    def release(self) -> None:
        """Give the descriptor back; only when the reader thread has ended."""
        self.close()
        self._sock.close()


def _acknowledge_at_once(sock: socket.socket) -> None:
    """Servers hold a second small packet back until the first is acknowledged, which Linux would do 40 ms later; it
    forgets that it was told not to."""
    if _QUICK_ACK is not None:
        sock.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


def dial(address: str, port: int, deadline: Deadline) -> Wire:
    """A TCP connection to an IP address. Raises HostDown, ConnectTimeout or Cancelled."""
    try:
        family, kind, protocol, _name, where = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise HostDown(reason=str(error)) from error
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _finish_connect(sock, where, deadline)
    except BaseException:
        sock.close()
        raise
    return Wire(sock)


def _finish_connect(sock: socket.socket, where: tuple[object, ...], deadline: Deadline) -> None:
    waiting = select.poll()
    waiting.register(sock, select.POLLOUT)
    try:
        sock.connect(where)
        return
    except BlockingIOError:
        pass  # on its way: waited for below
    except OSError as error:
        raise HostDown(reason=str(error)) from error
    while not waiting.poll(deadline.slice() * 1000):
        deadline.check(ConnectTimeout)
    failure = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if failure:
        raise HostDown(reason=OSError(failure, "").strerror or str(failure), errno=failure)
