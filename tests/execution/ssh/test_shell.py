"""Several short commands in one shell of a real OpenSSH server: they come back as they do from a channel of their own,
and know nothing of each other."""

import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from demo.fleet.backends import find_sshd
from execution.ssh.connection import Connection, connect
from execution.ssh.exceptions import Cancelled, CommandTimeout, NoExitStatus

from .sshd import Sshd, running_sshd

pytestmark = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def connection(server: Sshd) -> Iterator[Connection]:
    with connect(server.target(), server.secret, deadline=20) as opened:
        yield opened


def sh(connection: Connection, script: str, *, is_short: bool = True, seconds: float = 20) -> tuple[int, str, str]:
    result = connection.run(["sh", "-c", script, "guardia"], deadline=seconds, is_short=is_short)
    return result.exit_status, result.stdout, result.stderr


def shell_of(connection: Connection) -> str:
    """The process that runs a short script."""
    return sh(connection, "echo $$")[1]


SCRIPTS = [
    "true",
    "exit 3",
    "exit 255",
    "echo out; echo err >&2",
    "printf 'no newline'; printf 'none here' >&2",
    "printf '\\n\\n'; printf '\\n' >&2",
    "printf 'a\\377b\\0c'",
    "echo '0123456789abcdef0123456789abcdef 0'",
    "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2",
    "seq 60000",
    'printf "%s," "$#" "$1" "$2"; echo',
    "cat",
    "sh -c 'kill -9 $$'",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_short_command_comes_back_as_from_a_channel_of_its_own(connection: Connection, script: str) -> None:
    argv = ["sh", "-c", script, "guardia", "a b", "$(c)"]
    shared = connection.run(argv, deadline=20, keep=1000, is_short=True)
    if "kill" in script:
        assert shared.exit_status == 137
        return
    alone = connection.run(argv, deadline=20, keep=1000)
    for name in ("exit_status", "stdout", "stderr", "stdout_bytes", "stderr_bytes", "sha256", "truncated"):
        assert getattr(shared, name) == getattr(alone, name), name


@pytest.mark.parametrize("script", ["if", "echo 'no end", "shift 9", "echo $(", "cat < /no/such/file", "exec false"])
def test_what_is_wrong_with_a_script_is_its_own_matter(connection: Connection, script: str) -> None:
    shell = connection.run(["echo", "before"], deadline=20, is_short=True), connection._shell
    alone = sh(connection, script, is_short=False)
    assert sh(connection, script)[0] == alone[0] != 0
    assert connection._shell is shell[1]
    assert sh(connection, "echo $#") == (0, "0\n", "")


def test_commands_share_one_shell_and_nothing_else(connection: Connection) -> None:
    shell, place = shell_of(connection), sh(connection, "pwd")
    for argv in (["cd", "/"], ["exit", "4"], ["exec", "true"], ["set", "-e"], ["umask", "077"], ["trap", "", "1"]):
        connection.run(argv, deadline=20, is_short=True)
    assert connection.run(["exit", "4"], deadline=20, is_short=True).exit_status == 4
    assert connection.run(["no-such-program"], deadline=20, is_short=True).exit_status == 127
    assert connection.run(["echo", "'; exit 9\n(", "$(", "`", "\\"], deadline=20, is_short=True).stdout.startswith("';")
    assert (shell_of(connection), sh(connection, "pwd"), sh(connection, "umask")[1]) == (shell, place, "0022\n")


def test_a_command_that_is_late_is_unknown_and_the_next_one_has_a_new_shell(connection: Connection) -> None:
    shell, began = shell_of(connection), time.monotonic()
    with pytest.raises(CommandTimeout) as caught:
        sh(connection, "sleep 30", seconds=0.5)
    assert caught.value.outcome_unknown and time.monotonic() - began < 3
    assert shell_of(connection) != shell
    assert sh(connection, "echo well") == (0, "well\n", "")


def test_a_command_that_is_cancelled_is_unknown(server: Sshd) -> None:
    cancel = threading.Event()
    with connect(server.target(), server.secret, deadline=20, cancel=cancel) as connection:
        shell_of(connection)
        threading.Timer(0.4, cancel.set).start()
        with pytest.raises(Cancelled) as caught:
            sh(connection, "sleep 30")
        assert caught.value.outcome_unknown


def test_a_shell_that_dies_in_a_command_leaves_its_outcome_unknown(connection: Connection) -> None:
    shell = shell_of(connection)
    with pytest.raises(NoExitStatus) as caught:
        sh(connection, "kill -9 $$; sleep 5")
    assert caught.value.outcome_unknown
    assert shell_of(connection) not in ("", shell)


def test_what_speaks_from_the_background_gets_no_ear(connection: Connection) -> None:
    """It would be taken for the next command's output: the shell is given up."""
    shell = shell_of(connection)
    assert sh(connection, "(sleep 0.3; echo stray) & echo first")[1] == "first\n"
    time.sleep(0.8)
    assert sh(connection, "echo 42")[1] == "42\n"
    assert shell_of(connection) != shell


HOSTS = {
    "allows one channel at a time": "MaxSessions 1",
    "runs something else instead": "ForceCommand printf noise; exit 7",
    "floods instead": "ForceCommand cat /dev/zero",
}


@pytest.mark.parametrize("lines", HOSTS.values(), ids=HOSTS.keys())
def test_a_host_without_a_shell_to_share_gets_a_channel_for_each_command(tmp_path: Path, lines: str) -> None:
    with (
        running_sshd(tmp_path / "sshd", lines) as server,
        connect(server.target(), server.secret, deadline=20) as connection,
    ):
        for _ in range(2):
            if "zero" in lines:
                with pytest.raises(CommandTimeout):
                    sh(connection, "echo out", seconds=0.6)
            elif "noise" in lines:
                assert sh(connection, "echo out") == (7, "noise", "")
            else:
                assert sh(connection, "echo out") == (0, "out\n", "")
                assert sh(connection, "echo out", is_short=False) == (0, "out\n", "")
        if lines.startswith("Max"):
            connection.upload(BytesIO(b"x" * 100), str(tmp_path / "file"), size=100, deadline=10)
            assert (tmp_path / "file").read_bytes() == b"x" * 100
