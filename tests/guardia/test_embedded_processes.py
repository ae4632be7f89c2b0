"""The supervisor of `up`: restarts, ordered stop, and no orphan whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE = 20.0

SUPERVISOR = """
import json, sys
from guardia.embedded.processes import ProcessGroup
options, children = json.loads(sys.argv[1])
group = ProcessGroup(**options)
for name, argv in children:
    group.add(name, argv)
sys.exit(group.run())
"""

# has one forked child, and one that moves to another session; says who it is, and when it is asked to stop
CHILD = """
import os, pathlib, signal, sys, time
name, folder = sys.argv[1], pathlib.Path(sys.argv[2])
def say(what):
    with (folder / "events").open("a") as file:
        file.write(f"{name} {what} {os.getpid()}\\n")
if os.fork() == 0:
    signal.signal(signal.SIGTERM, lambda *_: say("forked-was-signalled"))
    say("forked")
    time.sleep(300)
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("moved")
    time.sleep(300)
def stop(*_):
    say("stopped")
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else stop)
say("up")
print(name, "says hello", flush=True)
time.sleep(300)
"""


class Stage:
    """A running supervisor, and what its children have told in their file."""

    def __init__(self, folder: Path, names: list[str], **options: object) -> None:
        self._events = folder / "events"
        children = [(name, [sys.executable, "-c", CHILD, name, str(folder)]) for name in names]
        self.process = start_supervisor(children, options)

    def events(self, what: str) -> list[tuple[str, int]]:
        text = self._events.read_text() if self._events.exists() else ""
        rows = [line.split() for line in text.splitlines()]
        return [(name, int(pid)) for name, event, pid in rows if event == what]

    def everybody(self) -> list[int]:
        return [pid for what in ("up", "forked", "moved") for _, pid in self.events(what)]

    def wait_for_all(self, count: int) -> None:
        wait_until(lambda: len(self.everybody()) >= 3 * count)

    def finish(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, output


def start_supervisor(children: list[tuple[str, list[str]]], options: dict[str, object]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, json.dumps([options, children])],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Starts supervisors; at the end nobody of theirs may be left."""
    stages: list[Stage] = []

    def start(*names: str, **options: object) -> Stage:
        stages.append(Stage(tmp_path, list(names), **options))
        stages[-1].wait_for_all(len(names))
        return stages[-1]

    yield start
    for one in stages:
        one.process.kill()
        one.process.communicate()
        wait_until(lambda one=one: not any(map(alive, one.everybody())))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_children_in_reverse_order(stage: Callable[..., Stage], number: signal.Signals) -> None:
    running = stage("web", "worker")

    running.process.send_signal(number)
    code, output = running.finish()

    assert code == 0
    assert [name for name, _ in running.events("stopped")] == ["worker", "web"]
    assert "web     | web says hello\n" in output
    assert not any(map(alive, running.everybody()))
    assert not running.events("forked-was-signalled"), "only the main process is asked"


def test_a_child_that_ignores_sigterm_is_killed_with_its_family(stage: Callable[..., Stage]) -> None:
    running = stage("stubborn", stop_timeout=0.5)

    running.process.terminate()

    assert running.finish()[0] == 0
    assert not any(map(alive, running.everybody()))


@pytest.mark.parametrize("victim", ["main", "leash"])
def test_a_killed_child_is_started_again_and_its_family_is_gone(stage: Callable[..., Stage], victim: str) -> None:
    running = stage("worker")
    ((_, main),) = running.events("up")
    family = running.everybody()

    os.kill(main if victim == "main" else psutil.Process(main).ppid(), signal.SIGKILL)
    running.wait_for_all(2)

    wait_until(lambda: not any(map(alive, family)))
    running.process.terminate()
    code, output = running.finish()
    assert code == 0
    assert "worker ended with code" in output


def test_nothing_survives_the_kill_of_the_supervisor(stage: Callable[..., Stage]) -> None:
    running = stage("web", "worker", "stubborn", stop_timeout=0.5)

    running.process.kill()

    wait_until(lambda: not any(map(alive, running.everybody())))
    assert sorted(name for name, _ in running.events("stopped")) == ["web", "worker"]


def test_a_child_that_keeps_dying_ends_the_group() -> None:
    bad = [sys.executable, "-c", "print('no', end=''); raise SystemExit(7)"]
    good = [sys.executable, "-c", "import time; time.sleep(300)"]

    process = start_supervisor([("good", good), ("bad", bad)], {"max_restarts": 2})
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 1
    assert output.count("bad     | no\n") == 3
    assert "guardia | bad ended 3 times within a minute (code 7); stopping" in output


def test_a_program_that_does_not_exist_is_named() -> None:
    process = start_supervisor([("ghost", ["/nonexistent/ghost"])], {"max_restarts": 0})
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 1
    assert "can't run /nonexistent/ghost: No such file or directory" in output


def test_hostile_output_passes_in_bounded_lines() -> None:
    loud = "import os; os.write(1, b'\\xff\\n' + b'x' * 300_000 + b'\\nlast')"
    process = start_supervisor([("loud", [sys.executable, "-c", loud])], {"max_restarts": 0})
    output, _ = process.communicate(timeout=DEADLINE)

    lines = output.splitlines()
    assert "loud    | \ufffd" in lines
    assert "loud    | last" in lines
    assert sum(line.count("x") for line in lines if line.startswith("loud")) == 300_000
    assert max(map(len, lines)) < 150_000
