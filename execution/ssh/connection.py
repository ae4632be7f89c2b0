"""A connection to one host, shared by all steps of a host run."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self

import paramiko

from execution.ssh import sftp
from execution.ssh.command import execute
from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import (
    CommandRefused,
    CommandTimeout,
    ConnectionLost,
    SshError,
    TransferFailed,
    TransferTimeout,
)
from execution.ssh.quoting import render
from execution.ssh.result import CommandResult
from execution.ssh.route import Route, open_route
from execution.ssh.target import Hop, Secret, Target
from execution.ssh.transport import WINDOW, QuietTransport


def connect(
    target: Target, secret: Secret, *, deadline: float, cancel: threading.Event | None = None, via: Sequence[Hop] = ()
) -> "Connection":
    """Open a connection: TCP, key exchange, host key check and authentication within `deadline` seconds together.

    `via` are the jump hosts on the way, the nearest first; their log-ins count in the same deadline. `cancel` is
    honoured here and in every operation of the connection. Raises the ConnectFailed family, ConnectionLost, Cancelled;
    nothing stays open then. No credential is sent before the host key was found pinned.
    """
    limit = Deadline(deadline, cancel)
    try:
        route = open_route(via, limit)
        try:
            transport = route.log_in(target, secret, limit)
        except BaseException:
            route.close()
            raise
    except SshError as error:
        error.details.setdefault("host", target.hostname)
        raise
    return Connection(target, transport, cancel, route)


class Connection:
    """One authenticated connection. Operations come one after the other, from one thread at a time.

    After CommandTimeout the channel is closed; the connection stays usable if the server behaves. The command itself
    may go on: SSH has no way to be sure, so `outcome_unknown` says it. After Cancelled or ConnectionLost it is over.
    """

    def __init__(self, target: Target, transport: QuietTransport, cancel: threading.Event | None, route: Route) -> None:
        self._target = target
        self._transport = transport
        self._cancel = cancel
        self._route = route

    def run(self, argv: Sequence[str], *, deadline: float, stdin: bytes = b"", keep: int = 1 << 20) -> CommandResult:
        """Run a command and read both streams to their end within `deadline` seconds; keep `keep` bytes of each.

        A child that goes on in the background must not hold the streams, or the command doesn't end. Raises
        CommandTimeout, CommandRefused, NoExitStatus, ConnectionLost, Cancelled; InvalidInput for parts that can't be
        quoted.
        """
        line = render(argv)
        with self._operation(deadline, CommandTimeout, CommandRefused) as (limit, channel):
            return execute(self._transport, channel, line, limit, stdin, keep)

    def upload(
        self,
        source: BinaryIO,
        path: str,
        *,
        size: int,
        deadline: float,
        mode: int = 0o640,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Write `size` bytes of `source` to `path` by SFTP, truncating what is there; the mode is set before the data.

        `progress` gets the bytes the host has acknowledged so far. Raises TransferTimeout, TransferFailed (also when
        source or remote file don't have `size` bytes), ConnectionLost, Cancelled. A partial file may stay behind.
        """
        with self._operation(deadline, TransferTimeout, TransferFailed) as (limit, channel):
            sftp.upload(sftp.Session(self._transport, channel, limit), source, path, size, mode, progress)

    @contextmanager
    def _operation(
        self, seconds: float, late: type[SshError], refused: type[SshError]
    ) -> Iterator[tuple[Deadline, paramiko.Channel]]:
        """A channel under a deadline; what paramiko raises becomes our tree, with the host's name in it."""
        limit, transport = Deadline(seconds, self._cancel), self._transport
        channel: paramiko.Channel | None = None
        transport.wire.deadline = limit
        try:
            limit.check(late)
            try:
                channel = self._open()
                yield limit, channel
            except paramiko.ChannelException as error:
                raise refused from error
            except (paramiko.SSHException, EOFError) as error:
                unknown = channel is not None and late is CommandTimeout
                limit.check(late, outcome_unknown=unknown)
                raise ConnectionLost(outcome_unknown=unknown) from error
        except SshError as error:
            error.details.setdefault("host", self._target.hostname)
            raise
        finally:
            self._leave(channel)

    def _open(self) -> paramiko.Channel:
        try:
            return self._transport.open_session(window_size=WINDOW)
        except OSError as error:  # what ended the reader thread, shown again here
            raise EOFError from error

    def _leave(self, channel: paramiko.Channel | None) -> None:
        try:
            if channel is not None:
                channel.close()
                self._transport.endings.pop(channel.chanid, None)
        except (paramiko.SSHException, EOFError, OSError):
            self._transport.shut()  # a line that can't even take a close is of no use any more
        finally:
            self._transport.wire.deadline = None

    def close(self) -> None:
        """End the connection and its thread, and the way to it. May be called twice."""
        self._transport.shut()
        self._route.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
