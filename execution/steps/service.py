"""Steps on the service: stop it, start it as a new process, and see that it is well.

The PID before the stop is saved, so that the start can prove that another process runs now.
"""

from execution.steps.arguments import between, http_path, one_of
from execution.steps.ops import HttpGet, Op, Step, change, check, run, saved, shell
from execution.steps.scripts import scripted

_IN_A_ROW = 3
_PID = 'p=0; { read -r p < "$1"; } 2>/dev/null; echo "$p"'
_GONE = '[ "$1" = 0 ] || ! kill -0 "$1" 2>/dev/null'
_LIVE_PID = 'p=; read -r p < "$1"; [ "$p" -gt 0 ] && kill -0 "$p" && echo "$p"'
_UP = 'p=; { read -r p < "$1"; [ "$p" -gt 0 ] && kill -0 "$p"; } 2>/dev/null || exec "$2"'
_SIZE = 'if [ -e "$1" ]; then wc -c < "$1"; else echo 0; fi'
_LOG_SINCE = 'tail -c "+$(($2 + 1))" -- "$1" | head -c 1048576'


def check_running(*, pid_file: str, port: int) -> Step:
    """The service runs and takes connections before anything is touched."""
    return check(
        "check_port",
        shell(_LIVE_PID, pid_file, expect={"number": True}),
        {"op": "tcp", "port": port, "seconds": 5},
    )


def stop(
    *,
    shutdown: str,
    startup: str,
    pid_file: str,
    log_file: str,
    seconds: int,
    start_seconds: int,
    escalate: str = "none",
) -> Step:
    """No process of the service runs; undone by starting it again, but never beside one that wouldn't stop.

    It has `seconds` to end by itself. Where `escalate` allows, it gets TERM then and as long again, then KILL.
    """
    one_of(escalate, "none", "term", "kill")
    gone = shell(_GONE, saved("pid_before"), seconds=seconds, pause_ms=300)
    ends: Op = gone
    if escalate != "none":
        ends = scripted("end", saved("pid_before"), escalate, str(seconds), seconds=2 * seconds + 15)
    restart = _start_ops(startup, pid_file, log_file, start_seconds)
    return change(
        "stop",
        shell(_PID, pid_file, expect={"number": True}, save="pid_before"),
        run(shutdown, expect={"any_exit": True}, seconds=seconds),
        ends,
        probe=[gone],
        undo=[gone, *restart],
        undo_probe=[restart[-1]],
        is_undo_repeatable=False,
    )


def start(*, startup: str, shutdown: str, pid_file: str, log_file: str, seconds: int, stop_seconds: int) -> Step:
    """A new process runs. Never repeated blindly: two starts could make two processes."""
    gone = shell(_GONE, saved("pid_before"), seconds=stop_seconds, pause_ms=300)
    return change(
        "start",
        *_start_ops(startup, pid_file, log_file, seconds),
        probe=[_new_pid(pid_file, seconds)],
        undo=[
            shell(_PID, pid_file, expect={"number": True}, save="pid_before"),
            run(shutdown, expect={"any_exit": True}, seconds=stop_seconds),
            gone,
        ],
        undo_probe=[gone],
        is_repeatable=False,
    )


def health(*, port: int, path: str, log_file: str, log_ready: str, log_broken: str, seconds: int) -> Step:
    """TCP, HTTP status several times in a row, and the log since the start: ready, and nothing broken."""
    return check(
        "health",
        {"op": "tcp", "port": port, "seconds": seconds},
        shell(
            _LOG_SINCE, log_file, saved("log_position"), expect={"contains": log_ready}, seconds=seconds, pause_ms=500
        ),
        {"op": "http", "port": port, "path": http_path(path), "status": 200, "seconds": 10, "times": _IN_A_ROW},
        shell(_LOG_SINCE, log_file, saved("log_position"), expect={"lacks": log_broken}),
    )


def http_check(
    *, port: int, path: str, status: int = 200, within_ms: int = 0, contains: str = "", times: int = 1
) -> Step:
    """The service is reachable and answers as it should: the status, in time, with this text in its body, so many times
    in a row."""
    get: HttpGet = {"op": "http", "port": port, "path": http_path(path), "status": status, "seconds": 10}
    if within_ms:
        get["within_ms"] = within_ms
    if contains:
        get["contains"] = contains
    if between(times, 1, 100) > 1:
        get["times"] = times
    return check("http_check", {"op": "tcp", "port": port, "seconds": 5}, get)


def wait_tcp(*, port: int, seconds: int = 60) -> Step:
    """The port takes connections in time."""
    return check("wait_tcp", {"op": "tcp", "port": port, "seconds": seconds})


def start_if_down(
    *, startup: str, shutdown: str, pid_file: str, log_file: str, seconds: int, stop_seconds: int
) -> Step:
    """The service runs: it is started unless it does already (after a reboot that brings it up by itself)."""
    alive = shell(_LIVE_PID, pid_file, expect={"number": True}, seconds=seconds, pause_ms=300)
    return change(
        "start_if_down",
        shell(_SIZE, log_file, expect={"number": True}, save="log_position"),
        shell(_UP, pid_file, startup, seconds=seconds),
        alive,
        probe=[alive],
        undo=[
            shell(_PID, pid_file, expect={"number": True}, save="pid_before"),
            run(shutdown, expect={"any_exit": True}, seconds=stop_seconds),
            shell(_GONE, saved("pid_before"), seconds=stop_seconds, pause_ms=300),
        ],
    )


def _start_ops(startup: str, pid_file: str, log_file: str, seconds: int) -> list[Op]:
    return [
        shell(_SIZE, log_file, expect={"number": True}, save="log_position"),
        run(startup, seconds=seconds),
        _new_pid(pid_file, seconds),
    ]


def _new_pid(pid_file: str, seconds: int) -> Op:
    return shell(
        _LIVE_PID, pid_file, expect={"differs": saved("pid_before"), "number": True}, seconds=seconds, pause_ms=300
    )
