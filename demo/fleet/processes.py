"""The processes of a fleet, found in /proc: which are ours, and how to end them all.

Each carries the fleet's home in its environment (`MARKER`), set by the runner and by `conf/server.env`, so that
leftovers of a killed fleet are recognised by what they are and not by a number in a file that may name another by now.
"""

import ctypes
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

MARKER = "GUARDIA_FLEET_HOME"
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent() -> None:
    """Between fork and exec: the kernel kills this process when the thread that forked it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Make this process the parent of every daemon its descendants leave behind."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def marked(home: Path) -> set[int]:
    """The living processes whose environment names `home`, without this one."""
    wanted = f"{MARKER}={home}".encode()
    return {pid for pid in _pids() if pid != os.getpid() and _is_alive(pid) and wanted in _environment(pid)}


def descendants(root: int) -> set[int]:
    """The living processes below `root`."""
    children: dict[int, list[int]] = {}
    for pid in _pids():
        state, parent = _stat(pid)
        if state not in ("", "Z"):
            children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found.update(below)
        queue.extend(below)
    return found


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each; the ones that have ended meanwhile don't matter."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def end_leftovers(home: Path, grace: float = 3.0) -> int:
    """End every marked process of `home`: SIGTERM, then SIGKILL after `grace` seconds. Returns how many there were."""
    left = marked(home)
    count = len(left)
    send(left, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline + grace:
        time.sleep(0.05)
        left = marked(home)
        if time.monotonic() > deadline:
            send(left, signal.SIGKILL)
    return count


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - a scan per 50 ms


def _stat(pid: int) -> tuple[str, int]:
    """(state letter, parent's pid); an empty state when the process is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return "", 0
    return fields[0], int(fields[1])


def _is_alive(pid: int) -> bool:
    return _stat(pid)[0] not in ("", "Z")


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []  # gone, or another user's and so not ours
