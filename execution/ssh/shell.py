"""One POSIX shell on one channel for several short commands: a channel and an account's shell for each cost more than
most of them do.

For commands that leave nothing behind: what goes on in the background could speak into the next one's output. Each runs
in a subshell without standard input. Both streams end in a marker that nobody can guess.
"""

import secrets

import paramiko

from execution.ssh.command import ending, request
from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import CommandTimeout, ConnectionLost, NoExitStatus
from execution.ssh.result import CommandResult, Stream, combined_digest
from execution.ssh.transport import WINDOW, QuietTransport

_START_SECONDS = 3.0
_MOST_NOISE = 1 << 16
"""Bytes a host may say before its shell answers."""
_MOST_DIGITS = 3


class Shell:
    """Open one with `open_shell`. After any error it is of no use any more."""

    def __init__(self, transport: QuietTransport, channel: paramiko.Channel) -> None:
        self._transport, self.channel = transport, channel

    def is_quiet(self) -> bool:
        """Still there, and with nothing to say that nobody has asked for."""
        channel = self.channel
        return not (channel.closed or channel.eof_received or channel.recv_ready() or channel.recv_stderr_ready())

    def run(self, line: str, deadline: Deadline, keep: int) -> CommandResult:
        """As `command.execute`, for a rendered line. Raises CommandTimeout, NoExitStatus, ConnectionLost, Cancelled."""
        out, err, began = Stream(keep), Stream(keep), deadline.elapsed
        status = self._talk(f"( {line} ) </dev/null", out, err, deadline)
        return CommandResult(
            exit_status=status,
            stdout=out.text(),
            stderr=err.text(),
            stdout_bytes=out.size,
            stderr_bytes=err.size,
            sha256=combined_digest(out, err),
            truncated=out.truncated or err.truncated,
            seconds=deadline.elapsed - began,
        )

    def _talk(self, line: str, out: Stream, err: Stream, deadline: Deadline, most: int | None = None) -> int:
        marker = secrets.token_hex(16)
        end = f"printf '\\n{marker} %d\\n' $?; printf '\\n{marker}\\n' >&2"
        marked_out, marked_err = _Marked(out, f"\n{marker} "), _Marked(err, f"\n{marker}\n")
        waiting = memoryview(f"{line}; {end}\n".encode())
        while True:
            self._transport.wake.clear()  # before looking, so that nothing that happens meanwhile is slept through
            waiting = self._feed(waiting)
            if not self._drain(marked_out, marked_err):
                self._check(deadline)
                self._transport.wake.wait(deadline.slice())
            if most is not None and out.size + err.size > most:
                raise NoExitStatus
            if marked_err.rest is not None and marked_out.rest is not None and b"\n" in marked_out.rest:
                return _status_in(marked_out.rest, marked_err.rest)
            deadline.check(CommandTimeout, outcome_unknown=True)

    def _feed(self, waiting: memoryview) -> memoryview:
        if not waiting:
            return waiting
        try:
            return waiting[self.channel.send(bytes(waiting)) :]
        except TimeoutError:  # no room in the server's window
            return waiting
        except OSError:
            if not self.channel.closed:
                raise
            return waiting  # what it has said before is read first

    def _drain(self, out: "_Marked", err: "_Marked") -> bool:
        channel = self.channel
        is_any = channel.recv_ready(), channel.recv_stderr_ready()
        if is_any[0]:
            out.add(channel.recv(WINDOW))
        if is_any[1]:
            err.add(channel.recv_stderr(WINDOW))
        return any(is_any)

    def _check(self, deadline: Deadline) -> None:
        """Nothing more is there to be read: it must not be the end."""
        failure = ending(self._transport, self.channel)
        if failure is ConnectionLost:
            deadline.check(CommandTimeout, outcome_unknown=True)  # the watchdog may have cut the line for that reason
            raise ConnectionLost(outcome_unknown=True)
        if failure is not None or self.channel.eof_received:
            raise NoExitStatus(outcome_unknown=True)


def open_shell(transport: QuietTransport, channel: paramiko.Channel, deadline: Deadline) -> Shell | None:
    """A shell that has answered; None where there is none to be had. Raises ConnectionLost, CommandTimeout, Cancelled:
    nothing was run then."""
    channel.settimeout(0.0)
    shell, noise = Shell(transport, channel), Stream(0)
    start = deadline.no_longer_than(_START_SECONDS)
    try:
        request(transport, channel, "exec", b"exec sh")
        shell._talk(":", noise, noise, start, _MOST_NOISE)
    except (NoExitStatus, CommandTimeout):
        deadline.check(CommandTimeout)
        return None
    except ConnectionLost as error:
        raise ConnectionLost from error
    return shell


class _Marked:
    """A stream up to its marker, which may arrive in pieces; `rest` is what follows, None before it."""

    def __init__(self, stream: Stream, marker: str) -> None:
        self._stream, self._marker, self._held = stream, marker.encode(), b""
        self.rest: bytes | None = None

    def add(self, data: bytes) -> None:
        if self.rest is not None:
            self.rest += data[:_MOST_NOISE]
            return
        data = self._held + data
        before, marker, after = data.partition(self._marker)
        if marker:
            self._stream.add(before)
            self.rest = after
            return
        keep = max(0, len(data) - len(self._marker) + 1)
        self._stream.add(data[:keep])
        self._held = data[keep:]


def _status_in(out: bytes, err: bytes) -> int:
    """The exit status behind the marker. Raises NoExitStatus where something else stands there, or more follows."""
    digits, _end, more = out.partition(b"\n")
    if not digits.isdigit() or len(digits) > _MOST_DIGITS or more or err:
        raise NoExitStatus(outcome_unknown=True)
    return int(digits)
