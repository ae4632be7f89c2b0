"""The two commands of the README, as somebody types them: in processes of their own, with homes of their own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GUARDIA_")}
    return {**kept, "GUARDIA_HOME": str(home), "PYTHONUNBUFFERED": "1"}


def processes_of(home: Path) -> list[str]:
    """Command lines of whatever lives for this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("GUARDIA_HOME") == str(home) or str(home) in " ".join(process.cmdline()):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def wait_for(what: str, holds: object, seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < ends, what
        time.sleep(0.2)


class Portal:
    """`manage.py up --sample` in a process of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home, self.log = home, home.parent / f"{home.name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--sample", *options],
                cwd=REPOSITORY,
                env=environment(home),
                stdout=log,
                stderr=log,
            )
        wait_for("the portal didn't come up", self.is_ready)

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def address(self) -> str:
        found = re.search(r"Guardia: (http://127\.0\.0\.1:\d+)", self.said)
        return found[1] if found else ""

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said
        try:
            return bool(self.address) and httpx.get(f"{self.address}/health/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.mark.slow  # `.ci/run` plays it itself
def test_the_demonstration_passes(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=REPOSITORY,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=240,
    )
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.fullmatch(r"main job: \d{2,} passed, 0 failed", last), done.stdout
    wait_for("something was left running", lambda: not processes_of(home), 20)


def test_a_taken_port_is_told_and_another_named_and_ctrl_c_stops_cleanly(tmp_path: Path, taken_port: int) -> None:
    portal = Portal(tmp_path / "home", "--port", str(taken_port))
    assert f"Port {taken_port} is taken" in portal.said
    assert "kim.site" in portal.said
    portal.process.send_signal(signal.SIGINT)
    assert portal.process.wait(60) == 0, portal.said
    wait_for("something was left running", lambda: not processes_of(portal.home), 20)


@pytest.mark.slow
def test_two_homes_side_by_side_and_a_killed_one_leaves_nothing_and_starts_again(tmp_path: Path) -> None:
    first, second = Portal(tmp_path / "one"), Portal(tmp_path / "two")
    assert first.address != second.address
    first.process.kill()
    first.process.wait(10)
    wait_for("the killed portal left processes", lambda: not processes_of(first.home), 40)
    assert second.is_ready()
    again = Portal(tmp_path / "one")
    for portal in (again, second):
        portal.process.terminate()
        assert portal.process.wait(60) == 0, portal.said
    wait_for("something was left", lambda: not processes_of(first.home) and not processes_of(second.home), 20)


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["manage.py worker", "uvicorn guardia.asgi", "guardia.embedded.guardian"])
def test_a_killed_part_of_a_running_portal_comes_back(tmp_path: Path, victim: str) -> None:
    portal = Portal(tmp_path / "home")
    for process in psutil.Process(portal.process.pid).children(recursive=True):
        command = " ".join(process.cmdline())
        if victim in command and "leash" not in command:
            process.kill()
            break
    else:
        pytest.fail(f"{victim} doesn't run")
    wait_for(f"{victim} didn't come back", portal.is_ready)
    portal.process.terminate()
    assert portal.process.wait(60) == 0, portal.said
    wait_for("something was left running", lambda: not processes_of(portal.home), 20)
