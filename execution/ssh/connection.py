"""A connection to one host, shared by all steps of a host run."""

import threading
import time
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
from execution.ssh.quoting import render, render_in_shell
from execution.ssh.result import CommandResult
from execution.ssh.route import Route, open_route
from execution.ssh.shell import Shell, open_shell
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


#: For a host that allows one channel at a time, to close the last one.
_MAKE_ROOM_SECONDS = 2.0


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
        self._shell: Shell | None = None
        self._has_shell, self._has_opened = True, False

    def run(
        self, argv: Sequence[str], *, deadline: float, stdin: bytes = b"", keep: int = 1 << 20, is_short: bool = False
    ) -> CommandResult:
        """Run a command and read both streams to their end within `deadline` seconds; keep `keep` bytes of each.

        A child that goes on in the background must not hold the streams, or the command doesn't end. Commands that
        are known to leave nothing behind (`is_short`) share one shell where the host has one. Raises
        CommandTimeout, CommandRefused, NoExitStatus, ConnectionLost, Cancelled; InvalidInput for parts that can't be
        quoted.
        """
        line, began = render(argv), time.monotonic()
        if is_short and self._has_shell and not stdin:
            result = self._run_in_shell(render_in_shell(argv), deadline, keep)
            if result is not None:
                return result
            deadline -= time.monotonic() - began
        with self._operation(deadline, CommandTimeout, CommandRefused) as (limit, channel):
            return execute(self._transport, channel, line, limit, stdin, keep)

    def _run_in_shell(self, line: str, seconds: float, keep: int) -> CommandResult | None:
        """None where the host has no shell to share; nothing was run then. A shell is used again only after an answer
        without a fault."""
        limit, transport, is_sent = Deadline(seconds, self._cancel), self._transport, False
        shell, self._shell = self._shell, None
        transport.wire.deadline = limit
        try:
            limit.check(CommandTimeout)
            try:
                if shell is None or not shell.is_quiet():
                    shell = self._open_shell(shell, limit)
                if shell is None:
                    return None
                is_sent = True
                result = shell.run(line, limit, keep)
            except (paramiko.SSHException, EOFError) as error:
                limit.check(CommandTimeout, outcome_unknown=is_sent)
                raise ConnectionLost(outcome_unknown=is_sent) from error
            self._shell = shell
            return result
        except SshError as error:
            error.details.setdefault("host", self._target.hostname)
            raise
        finally:
            if shell is not None and self._shell is None:
                self._leave(shell.channel)
            transport.wire.deadline = None

    def _open_shell(self, former: Shell | None, limit: Deadline) -> Shell | None:
        if former is not None:
            self._leave(former.channel)
        try:
            channel = self._open()
        except paramiko.ChannelException:
            self._has_shell = False
            return None
        shell = None
        try:
            shell = open_shell(self._transport, channel, limit)
        finally:
            if shell is None:
                self._has_shell = False
                self._leave(channel)
        return shell

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
            transport.wire.deadline = None

    def _open(self) -> paramiko.Channel:
        """A channel. A host that allows one at a time gets the shell's back, and a moment to see that it's closed."""
        ends = time.monotonic() + _MAKE_ROOM_SECONDS
        while True:
            try:
                channel = self._transport.open_session(window_size=WINDOW)
            except paramiko.ChannelException:
                self._transport.wire.check()
                if not self._has_opened or time.monotonic() > ends:
                    raise
                if self._shell is not None:
                    self._leave(self._shell.channel)
                self._shell, self._has_shell = None, False
                time.sleep(_MAKE_ROOM_SECONDS / 40)
            except OSError as error:  # what ended the reader thread, shown again here
                raise EOFError from error
            else:
                self._has_opened = True
                return channel

    def _leave(self, channel: paramiko.Channel | None) -> None:
        try:
            if channel is not None:
                channel.close()
                self._transport.endings.pop(channel.chanid, None)
        except (paramiko.SSHException, EOFError, OSError):
            self._transport.shut()  # a line that can't even take a close is of no use any more

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
