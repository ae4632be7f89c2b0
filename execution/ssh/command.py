"""One command on one channel: both streams drained, output capped, bounded in time."""

import paramiko
from paramiko.common import MSG_CHANNEL_CLOSE, MSG_CHANNEL_FAILURE, cMSG_CHANNEL_REQUEST

from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import CommandRefused, CommandTimeout, ConnectionLost, NoExitStatus, SshError
from execution.ssh.result import CommandResult, Stream, combined_digest
from execution.ssh.transport import WINDOW, QuietTransport

_PIECE = 1 << 15
_ENDINGS: dict[int | None, type[SshError]] = {MSG_CHANNEL_FAILURE: CommandRefused, MSG_CHANNEL_CLOSE: NoExitStatus}
_NO_STATUS = -1  # paramiko's mark for "not told yet"; a real status is unsigned


def request(transport: QuietTransport, channel: paramiko.Channel, kind: str, value: bytes) -> None:
    """Ask for `exec` or `subsystem` without waiting for the answer: a refusal ends the channel, see `ending`."""
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string(kind)
    message.add_boolean(True)
    message.add_string(value)
    transport._send_user_message(message)


def ending(transport: QuietTransport, channel: paramiko.Channel) -> type[SshError] | None:
    """What the end of a channel means; None while it's open."""
    if not channel.closed:
        return None
    return _ENDINGS.get(transport.endings.get(channel.chanid), ConnectionLost)


def execute(
    transport: QuietTransport, channel: paramiko.Channel, line: str, deadline: Deadline, stdin: bytes, keep: int
) -> CommandResult:
    """Run a rendered line to its end on a fresh channel.

    Memory: `keep` bytes per stream plus one channel window. Raises CommandTimeout, CommandRefused, NoExitStatus,
    ConnectionLost, Cancelled.
    """
    out, err = Stream(keep), Stream(keep)
    channel.settimeout(0.0)
    request(transport, channel, "exec", line.encode())
    waiting: memoryview | None = memoryview(stdin)
    while True:
        transport.wake.clear()  # before looking, so that nothing that happens meanwhile is slept through
        before = out.size + err.size
        _drain(channel, out, err)
        waiting, sent = _feed(channel, waiting)
        idle = not sent and out.size + err.size == before
        if idle and _ended(transport, channel, deadline):
            return CommandResult(
                exit_status=channel.exit_status,
                stdout=out.text(),
                stderr=err.text(),
                stdout_bytes=out.size,
                stderr_bytes=err.size,
                sha256=combined_digest(out, err),
                truncated=out.truncated or err.truncated,
                seconds=deadline.elapsed,
            )
        deadline.check(CommandTimeout, outcome_unknown=True)
        if idle:
            transport.wake.wait(deadline.slice())


def _drain(channel: paramiko.Channel, out: Stream, err: Stream) -> None:
    if channel.recv_ready():
        out.add(channel.recv(WINDOW))
    if channel.recv_stderr_ready():
        err.add(channel.recv_stderr(WINDOW))


def _feed(channel: paramiko.Channel, waiting: memoryview | None) -> tuple[memoryview | None, bool]:
    """Send a piece of stdin if there's room, or its end. Gives what's left (None after the end) and whether it sent."""
    if waiting is None or channel.closed:
        return None, False
    if not waiting:
        channel.shutdown_write()
        return None, False
    try:
        sent = channel.send(bytes(waiting[:_PIECE]))
    except TimeoutError:  # no room in the server's window
        return waiting, False
    except OSError:
        if not channel.closed:
            raise
        return None, False
    return waiting[sent:], sent > 0


def _ended(transport: QuietTransport, channel: paramiko.Channel, deadline: Deadline) -> bool:
    """All output is in and the status is known. Raises what an end without status means."""
    failure = ending(transport, channel)
    if not (failure or channel.eof_received) or channel.recv_ready() or channel.recv_stderr_ready():
        return False
    if channel.exit_status != _NO_STATUS and (channel.eof_received or failure is NoExitStatus):
        return True
    if failure is None:
        return False
    if failure is ConnectionLost:
        deadline.check(CommandTimeout, outcome_unknown=True)  # the watchdog may have cut the line for that reason
    raise failure(outcome_unknown=failure is not CommandRefused)
