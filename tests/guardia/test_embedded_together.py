"""What `up` is made of: a supervisor with a lease, and a child that uses the database too."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from guardia.embedded.postgres import EmbeddedPostgres

REPOSITORY = Path(__file__).resolve().parents[2]
DEADLINE = 30.0

UP = """
import pathlib, sys
from guardia.embedded.postgres import EmbeddedPostgres
from guardia.embedded.processes import ProcessGroup
with EmbeddedPostgres(pathlib.Path(sys.argv[1])).ensure_running() as lease:
    group = ProcessGroup(heartbeat=lease.revive)
    group.add("writer", [sys.executable, "-c", sys.argv[2], sys.argv[1]])
    code = group.run()
sys.exit(code)
"""

WRITER = """
import pathlib, sys, time
import psycopg
from guardia.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]))
with server.ensure_running() as lease:
    while True:
        try:
            with psycopg.connect(lease.url, autocommit=True) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS beats (id bigserial)")
                while True:
                    connection.execute("INSERT INTO beats DEFAULT VALUES")
                    time.sleep(0.02)
        except psycopg.OperationalError:
            time.sleep(0.1)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="guardia-test-"))
    yield path
    EmbeddedPostgres(path).stop()
    shutil.rmtree(path)


@pytest.fixture
def up(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", UP, str(home), WRITER]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.DEVNULL)
    wait_until(lambda: beats(home) > 0)
    yield process
    process.kill()
    process.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def beats(home: Path) -> int:
    """How many rows the writer has committed; 0 while the database can't be asked."""
    server = EmbeddedPostgres(home)
    if server.status().state != "running":
        return 0
    try:
        with psycopg.connect(server.url) as connection:
            row = connection.execute("SELECT count(*) FROM beats").fetchone()
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return 0
    return int(row[0]) if row else 0


def family(home: Path) -> list[psutil.Process]:
    """Everybody who has the home in the arguments or as the place of work."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(home) in process.cmdline() or process.cwd().startswith(f"{home}/"):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.mark.parametrize("victim", ["guardian", "postmaster", "writer", "leash"])
def test_whoever_is_killed_comes_back_and_nothing_is_lost(home: Path, up: subprocess.Popen[bytes], victim: str) -> None:
    status = EmbeddedPostgres(home).status()
    writer = next(one for one in family(home) if one.cmdline()[2:3] == [WRITER])
    pids = {"guardian": status.guardian, "postmaster": status.postmaster, "writer": writer.pid, "leash": writer.ppid()}
    pid = pids[victim]
    assert pid is not None
    before = beats(home)

    os.kill(pid, signal.SIGKILL)

    wait_until(lambda: beats(home) > before + 20)
    up.terminate()
    assert up.wait(DEADLINE) == 0
    assert family(home) == []


def test_nobody_is_left_when_the_supervisor_is_killed(home: Path, up: subprocess.Popen[bytes]) -> None:
    before = beats(home)

    up.kill()
    up.wait()

    wait_until(lambda: family(home) == [])
    with EmbeddedPostgres(home).ensure_running():
        assert beats(home) >= before
