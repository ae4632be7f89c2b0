"""The few Linux calls that Python doesn't offer: death signals, adoption of orphans, a look into /proc."""

import ctypes
import os
import signal
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)  # loaded here, not in a forked child
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def die_with_parent(death_signal: signal.Signals, parent: int) -> None:
    """Have the kernel send us `death_signal` when our parent dies.

    Call it after dropping privileges (a change of credentials clears it). It survives an exec. If the `parent` that
    was meant died before the call, nobody would tell us any more: we die at once.
    """
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies (instead of init)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def command_line(pid: int) -> list[str]:
    """The arguments of a process; empty if it is gone, a zombie, or not ours to see."""
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]


def children_of(parent: int) -> list[int]:
    """The direct children of a process, zombies included."""
    found = []
    for pid in pids():
        try:
            status = (_PROC / str(pid) / "stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # the name in parentheses may hold anything; the parent is the second field after it
        if int(status.rpartition(")")[2].split()[1]) == parent:
            found.append(pid)
    return found


def processes_with(variable: str, value: str) -> list[int]:
    """The processes started with this variable in their environment, and what they forked."""
    wanted = f"{variable}={value}".encode()
    found = []
    for pid in pids():
        try:
            if wanted in (_PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def processes_at_work_in(directory: Path, name: str) -> list[int]:
    """The processes called `name` whose working directory is `directory`; those we may not look at are left out."""
    try:
        wanted = directory.stat()
    except FileNotFoundError:
        return []
    found = []
    for pid in pids():
        entry = _PROC / str(pid)
        try:
            if (entry / "comm").read_text(errors="replace").strip() == name and os.path.samestat(
                (entry / "cwd").stat(), wanted
            ):
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found
