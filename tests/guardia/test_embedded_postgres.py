"""The embedded PostgreSQL: who starts it, who stops it, and what survives a SIGKILL."""

import contextlib
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

from guardia.embedded.exceptions import EmbeddedError
from guardia.embedded.postgres import EmbeddedPostgres

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(REPOSITORY)}
DEADLINE = 30.0

USER = """
import sys
from pathlib import Path
from guardia.embedded.postgres import EmbeddedPostgres
lease = EmbeddedPostgres(Path(sys.argv[1])).ensure_running()
print("started" if lease.started else "joined", flush=True)
sys.stdin.readline()
lease.release()
"""


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def state(home: Path) -> str:
    return EmbeddedPostgres(home).status().state


def server_processes(home: Path) -> list[psutil.Process]:
    """The guardian and all processes of the server of this home; zombies don't count."""
    found = []
    for process in psutil.process_iter(["name", "uids"]):
        try:
            if f"{home}/" in f"{process.cwd()}/" or ["guardia.embedded.guardian", str(home)] == process.cmdline()[2:]:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def remember(home: Path, text: str) -> None:
    with psycopg.connect(EmbeddedPostgres(home).url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (text text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [text])


def memories(home: Path) -> list[str]:
    with psycopg.connect(EmbeddedPostgres(home).url) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM memory ORDER BY text")]


class OtherProcess:
    """Another process that holds a lease until told to leave, or killed."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-c", USER, str(home)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True)

    def wait(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=DEADLINE)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def new_home() -> Iterator[Callable[..., Path]]:
    """Makes homes below a 0700 folder; at the end no process of theirs may be left."""
    base = Path(tempfile.mkdtemp(prefix="guardia-test-"))
    homes: list[Path] = []

    def make(name: str = "home") -> Path:
        homes.append(base / name)
        return homes[-1]

    yield make
    for home in homes:
        EmbeddedPostgres(home).stop()
    left = [process for home in homes for process in server_processes(home)]
    shutil.rmtree(base)
    assert left == []


@pytest.fixture
def home(new_home: Callable[..., Path]) -> Path:
    return new_home()


@pytest.fixture
def other(home: Path) -> Iterator[Callable[[], OtherProcess]]:
    """Starts other processes that use the home; kills those that are left at the end."""
    others: list[OtherProcess] = []

    def start() -> OtherProcess:
        others.append(OtherProcess(home))
        return others[-1]

    yield start
    for one in others:
        one.kill()


def listens(process: psutil.Process) -> bool:
    """A server process that has ended meanwhile (a connection's, a worker's) listens nowhere."""
    try:
        return bool(process.net_connections("inet"))
    except psutil.NoSuchProcess:
        return False


def test_the_first_start_gives_a_private_unprivileged_server(home: Path) -> None:
    with EmbeddedPostgres(home).ensure_running() as lease:
        with psycopg.connect(lease.url) as connection:
            names = ["is_superuser", "max_connections", "fsync", "TimeZone", "server_encoding", "listen_addresses"]
            found = [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
            korean = connection.execute("SELECT upper('é'), length('가디아')").fetchone()
        servers = [process for process in server_processes(home) if process.info["name"] == "postgres"]
        assert [row[0] for row in found if row] == ["off", "200", "on", "UTC", "UTF8", ""]
        assert korean == ("É", 3)
        assert servers
        assert all(process.info["uids"].real != 0 for process in servers)
        assert not any(listens(process) for process in servers)
        for path, mode in {"postgres/data": 0o700, "postgres/run": 0o700, "keys": 0o700}.items():
            assert (home / path).stat().st_mode & 0o777 == mode
        assert (home / "keys/embedded-postgres.password").stat().st_mode & 0o777 == 0o600

    assert state(home) == "stopped"
    assert server_processes(home) == []


def test_it_stops_when_the_last_leaves_and_not_before(home: Path, other: Callable[[], OtherProcess]) -> None:
    lease = EmbeddedPostgres(home).ensure_running()
    second = other()
    assert (lease.started, second.wait()) == (True, "joined")

    lease.release()
    assert state(home) == "running", "somebody else still uses it"
    remember(home, "while the second uses it")

    second.leave()
    wait_until(lambda: state(home) == "stopped")


def test_many_at_the_same_moment_share_one_server(home: Path, other: Callable[[], OtherProcess]) -> None:
    crowd = [other() for _ in range(6)]
    assert sorted(one.wait() for one in crowd) == ["joined"] * 5 + ["started"]
    remember(home, "together")

    for one in crowd[:3]:
        one.kill()
    assert memories(home) == ["together"]
    late = [other() for _ in range(3)]
    for one in crowd[3:]:
        one.leave()
    # On a slow machine all the others may have left before these came: then one of them starts it again.
    assert sorted(one.wait() for one in late) in (["joined"] * 3, ["joined", "joined", "started"])

    for one in late:
        one.leave()
    wait_until(lambda: state(home) == "stopped")


def test_it_stops_when_its_last_user_is_killed(home: Path, other: Callable[[], OtherProcess]) -> None:
    user = other()
    assert user.wait() == "started"

    user.kill()

    wait_until(lambda: server_processes(home) == [])
    wait_until(lambda: state(home) == "stopped")  # the guardian itself is the last to go


def test_a_killed_server_is_started_again_for_its_users(home: Path) -> None:
    with EmbeddedPostgres(home).ensure_running() as lease:
        remember(home, "before")
        before = EmbeddedPostgres(home).status()
        assert before.postmaster is not None

        os.kill(before.postmaster, signal.SIGKILL)
        wait_until(lambda: EmbeddedPostgres(home).status() not in (before, None) and state(home) == "running")

        assert memories(home) == ["before"]
        assert EmbeddedPostgres(home).status().guardian == before.guardian
        assert not lease.revive(), "nothing to do"


def test_a_killed_guardian_takes_the_server_along_and_the_lease_revives_it(home: Path) -> None:
    with EmbeddedPostgres(home).ensure_running() as lease:
        remember(home, "before")
        url, before = lease.url, EmbeddedPostgres(home).status()
        assert before.guardian is not None

        os.kill(before.guardian, signal.SIGKILL)
        wait_until(lambda: server_processes(home) == [])

        assert lease.revive()
        assert (lease.url, memories(home)) == (url, ["before"])
    assert state(home) == "stopped"


def test_the_next_start_recovers_when_everything_was_killed(home: Path, other: Callable[[], OtherProcess]) -> None:
    user = other()
    user.wait()
    remember(home, "before")

    for process in [psutil.Process(user.process.pid), *server_processes(home)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a backend that came and went while we listed them
            process.kill()
    wait_until(lambda: server_processes(home) == [])
    assert state(home) == "stale"

    with EmbeddedPostgres(home).ensure_running() as lease:
        assert lease.started
        assert memories(home) == ["before"]


def test_two_homes_run_side_by_side(new_home: Callable[..., Path]) -> None:
    first, second = new_home("first"), new_home("second")
    with EmbeddedPostgres(first).ensure_running(), EmbeddedPostgres(second).ensure_running():
        remember(first, "one")
        remember(second, "two")
        assert (memories(first), memories(second)) == (["one"], ["two"])
        EmbeddedPostgres(first).stop()
        assert memories(second) == ["two"]


@pytest.mark.parametrize("name", ["깊은 집/" + "very-deep/" * 12 + "home", "a,comma", "per%cent & space"])
def test_a_home_with_a_long_or_odd_path_works(new_home: Callable[..., Path], name: str) -> None:
    home = new_home(name)
    with EmbeddedPostgres(home).ensure_running():
        remember(home, "deep")
        assert memories(home) == ["deep"]


def test_a_taken_socket_folder_is_refused(new_home: Callable[..., Path]) -> None:
    home = new_home("a,comma")
    with EmbeddedPostgres(home).ensure_running() as lease:
        folder = Path(lease.url.partition("host=")[2])
    assert not folder.exists()
    folder.mkdir(mode=0o755)
    try:
        with pytest.raises(EmbeddedError, match="isn't a private folder"):
            EmbeddedPostgres(home).ensure_running()
    finally:
        folder.rmdir()


def test_a_lost_password_is_replaced_and_a_half_made_cluster_is_made_anew(home: Path) -> None:
    (home / "postgres/data.new/base").mkdir(parents=True)
    with EmbeddedPostgres(home).ensure_running() as lease:
        remember(home, "kept")
        url = lease.url
    (home / "keys/embedded-postgres.password").unlink()

    with EmbeddedPostgres(home).ensure_running() as lease:
        assert lease.url != url
        assert memories(home) == ["kept"]


def test_a_broken_cluster_is_an_error_that_says_why(home: Path) -> None:
    EmbeddedPostgres(home).ensure_running().release()
    (home / "postgres/data/PG_VERSION").write_text("9.1\n")

    with pytest.raises(EmbeddedError, match="incompatible with server"):
        EmbeddedPostgres(home).ensure_running()


def test_the_server_ends_when_its_home_is_removed(home: Path) -> None:
    with EmbeddedPostgres(home).ensure_running():
        processes = server_processes(home)
        shutil.rmtree(home, ignore_errors=True)  # the server takes away some of its files itself
        wait_until(lambda: not any(process.is_running() and process.status() != "zombie" for process in processes))


def test_the_command_line_tells_and_stops(home: Path, other: Callable[[], OtherProcess]) -> None:
    def run(command: str) -> str:
        call = [sys.executable, "-m", "guardia.embedded", command, str(home)]
        return subprocess.run(call, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout

    assert run("status") == run("stop") == "stopped postmaster=None guardian=None\n"
    other().wait()
    assert run("status").startswith("running postmaster=")
    assert run("stop").startswith("stopped ")
