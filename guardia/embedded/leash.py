"""The leash of one child: `python -m guardia.embedded.leash PARENT TIMEOUT -- ARGV…`, in a session of its own.

It runs ARGV and ends with its exit code. Asked by SIGTERM, or when PARENT dies, it passes SIGTERM to ARGV alone (a
django-q2 cluster dead-locked when its workers got one too) and waits TIMEOUT seconds. Then, and also when ARGV ends
by itself or is killed, it kills whatever ARGV left: as the adopter of orphans it finds grandchildren even if they
moved to other sessions. Only a database guardian is spared, as it serves others too.
"""

import contextlib
import os
import signal
import sys
import time

from guardia.embedded.linux import adopt_orphans, children_of, command_line, die_with_parent

_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_POLL = 0.1
_NOT_STARTED = 127
SPARED = "guardia.embedded.guardian"


def main(parent: int, timeout: float, argv: list[str]) -> int:
    """Run `argv` until it ends; returns its exit code, 128 + n if signal n killed it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*_STOP_SIGNALS, signal.SIGCHLD})
    adopt_orphans()
    die_with_parent(signal.SIGTERM, parent)
    child = _spawn(argv)
    code = _wait(child, timeout)
    _kill_the_rest()
    return 128 - code if code < 0 else code


def _spawn(argv: list[str]) -> int:
    leash = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and programs would inherit that
        die_with_parent(signal.SIGTERM, leash)
        os.execvp(argv[0], argv)  # noqa: S606 (our caller's program, without a shell)
    except OSError as error:
        sys.stderr.write(f"can't run {argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
    finally:
        os._exit(_NOT_STARTED)


def _wait(child: int, timeout: float) -> int:
    deadline: float | None = None
    while (code := _reap().get(child)) is None:
        received = signal.sigtimedwait({*_STOP_SIGNALS, signal.SIGCHLD}, _POLL)
        if deadline is None and received is not None and received.si_signo in _STOP_SIGNALS:
            deadline = time.monotonic() + timeout
            _send(child, signal.SIGTERM)
        if deadline is not None and time.monotonic() > deadline:
            _send(child, signal.SIGKILL)
    return code


def _reap() -> dict[int, int]:
    """The exit codes of the children that have ended since the last look (negative: by that signal)."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = os.waitstatus_to_exitcode(found[1])
    return ended


def _kill_the_rest() -> None:
    """Kill our children until none is left; the children of a killed one become ours and are next."""
    while remaining := [pid for pid in children_of(os.getpid()) if SPARED not in command_line(pid)]:
        for pid in remaining:
            _send(pid, signal.SIGKILL)
        time.sleep(0.01)
        _reap()


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[4:]))
