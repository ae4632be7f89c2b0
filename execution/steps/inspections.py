"""Steps that only look and report: logs, memory, disks, processes, accounts, security. Their output is the result."""

from collections.abc import Sequence

from execution.steps.arguments import BadArgument, absolute, between, line
from execution.steps.ops import Op, Step, check, saved
from execution.steps.scripts import scripted


def log_scan(*, log_file: str, ready: str = "", broken: Sequence[str] = (), seconds: int = 60) -> Step:
    """The log since the last start: it says `ready` in time, and none of the broken words. Rotation doesn't hide it."""
    since = (absolute(log_file), saved("log_position"))
    ops: list[Op] = []
    if ready:
        ops.append(scripted("since", *since, expect={"contains": line(ready)}, seconds=seconds, pause_ms=500))
    ops += [scripted("since", *since, expect={"lacks": line(text)}) for text in broken]
    if not ops:
        raise BadArgument("log_scan looks for nothing")
    return check("log_scan", *ops)


def analyse_log(*, log_file: str, texts: Sequence[str] = (), mib: int = 16, top: int = 20) -> Step:
    """How often each text stands in the last MiB of a log, and its most frequent lines."""
    size, count = str(between(mib, 1, 1024)), str(between(top, 1, 100))
    words = [line(text) for text in texts if text]
    return check("analyse_log", scripted("logs", absolute(log_file), size, count, *words, seconds=300))


def check_memory(*, free_mib: int = 0, swap_percent: int = 0) -> Step:
    """Memory and swap are within bounds (0: no bound), and which processes hold the most."""
    return check(
        "check_memory", scripted("memory", str(between(free_mib, 0, 1 << 24)), str(between(swap_percent, 0, 100)))
    )


def check_disk_use(*, percent: int = 90, path: str = "") -> Step:
    """No file system is fuller than that, or the one where `path` lies."""
    return check("check_disk_use", scripted("disk", str(between(percent, 1, 100)), path and absolute(path), seconds=60))


def check_process(
    *, pid_file: str = "", words: str = "", cpu_percent: int = 0, memory_mib: int = 0, at_least: int = 1
) -> Step:
    """Processes (of a PID file, or with these words in their command line) are there and within bounds (0: none)."""
    bounds = [between(value, 0, 1 << 24) for value in (cpu_percent, memory_mib, at_least)]
    return check(
        "check_process",
        scripted("process", pid_file and absolute(pid_file), words and line(words), *map(str, bounds), seconds=60),
    )


def check_accounts(*, inactive_days: int = 90, strict: bool = False) -> Step:
    """Who may log in, and what is wrong with it; findings fail the step only where `strict`."""
    return check(
        "check_accounts",
        scripted("accounts", str(between(inactive_days, 0, 3650)), "strict" if strict else "report", seconds=60),
    )


def check_security(*, path: str, strict: bool = False) -> Step:
    """What attackers look at first: SSH, rights, open ports, files below `path`; findings fail only where `strict`."""
    return check("check_security", scripted("security", absolute(path), "strict" if strict else "report", seconds=600))
