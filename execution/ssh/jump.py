"""The line through a jump host: a forwarded channel of its connection, with the methods of a socket."""

import time

import paramiko

from execution.ssh.deadline import SLICE, Deadline
from execution.ssh.exceptions import ConnectionLost, ConnectTimeout, HostDown
from execution.ssh.transport import WINDOW, QuietTransport

_PAUSE = 0.02
"""Seconds between two looks whether the jump host takes more."""


class ChannelLine:
    """What a transport speaks over when its host lies behind another one (`execution.ssh.wire.Line`).

    The deadline of the operation under way bounds the outer connection too: a jump host that stalls is cut off.
    """

    def __init__(self, outer: QuietTransport, channel: paramiko.Channel) -> None:
        self._outer, self._channel = outer, channel
        self._channel.settimeout(0.0)
        self._closed = False  # paramiko looks at this name
        self._deadline: Deadline | None = None

    @property
    def deadline(self) -> Deadline | None:
        return self._deadline

    @deadline.setter
    def deadline(self, limit: Deadline | None) -> None:
        self._deadline = self._outer.wire.deadline = limit

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes; b"" at the end; TimeoutError after a slice without data; EOFError when cut off."""
        for _attempt in range(2):
            self._outer.wake.clear()  # before looking, so that nothing that happens meanwhile is slept through
            self.check()
            if self._channel.recv_ready():
                return self._channel.recv(size)
            if self._channel.eof_received or self._channel.closed or not self._outer.is_active():
                return b""
            self._outer.wake.wait(SLICE)
        raise TimeoutError

    def send(self, data: bytes) -> int:
        """Send what the jump host's window takes; TimeoutError after a slice without room; EOFError when cut off."""
        ends = time.monotonic() + SLICE
        while True:
            self.check()
            try:
                return self._channel.send(data)
            except TimeoutError:
                if time.monotonic() > ends:
                    raise
                time.sleep(_PAUSE)

    def check(self) -> None:
        """Raise EOFError when the line is closed or the operation overdue."""
        if self._closed or (self._deadline is not None and self._deadline.overdue):
            raise EOFError

    def settimeout(self, seconds: float | None) -> None:
        """Paramiko's own timeouts don't apply: the deadline does."""

    def getpeername(self) -> object:
        return self._channel.getpeername()

    def close(self) -> None:
        self._closed = True
        try:
            self._channel.close()
        except (paramiko.SSHException, EOFError, OSError):
            self._outer.shut()

    def release(self) -> None:
        """Nothing of our own to give back: the outer connection is closed by who opened it."""


def forward(outer: QuietTransport, address: str, port: int, limit: Deadline) -> ChannelLine:
    """A line to an address as the jump host sees it. Raises HostDown, ConnectTimeout, ConnectionLost, Cancelled."""
    outer.wire.deadline = limit
    try:
        channel = outer.open_channel("direct-tcpip", (address, port), ("127.0.0.1", 0), window_size=WINDOW)
    except paramiko.ChannelException as error:
        raise HostDown(reason=str(error)[:200]) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        limit.check(ConnectTimeout)
        raise ConnectionLost from error
    return ChannelLine(outer, channel)
