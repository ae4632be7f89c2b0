"""Commands: their results, their limits, and servers that don't play by the rules."""

import threading
import time
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.ssh.command import request
from execution.ssh.connection import Connection, connect
from execution.ssh.exceptions import Cancelled, CommandTimeout, SshError
from execution.ssh.result import output_digest
from execution.ssh.target import Secret
from execution.ssh.transport import WINDOW

from .conftest import Host

DEADLINE = 0.8


@pytest.fixture
def connection(host: Host, password: Secret) -> Iterator[Connection]:
    with connect(host.target(), password, deadline=10) as opened:
        yield opened


def test_one_connection_carries_all_steps(connection: Connection, host: Host) -> None:
    for status in (0, 3, 255):
        result = connection.run(["sh", "-c", f"echo out; echo err >&2; exit {status}"], deadline=5)
        assert (result.exit_status, result.stdout, result.stderr) == (status, "out\n", "err\n")
        assert result.sha256 == output_digest(b"out\n", b"err\n")
        assert not result.truncated
    assert host.attempts == ["ops"]


def test_stdin_arrives_whole_and_output_is_capped_but_hashed(connection: Connection) -> None:
    data = bytes(range(256)) * 20_000
    result = connection.run(["cat"], deadline=20, stdin=data, keep=1000)
    assert (result.stdout_bytes, result.truncated) == (len(data), True)
    assert result.stdout == data[:1000].decode(errors="replace")
    assert result.sha256 == output_digest(data, b"")


def test_stdin_nobody_reads_is_no_error(connection: Connection) -> None:
    assert connection.run(["true"], deadline=10, stdin=b"x" * (4 << 20)).exit_status == 0


def test_invalid_utf8_is_replaced(connection: Connection) -> None:
    assert connection.run(["printf", r"a\377b"], deadline=5).stdout == "a�b"


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_a_flood_is_bounded_in_memory(connection: Connection, stream: str) -> None:
    before = psutil.Process().memory_info().rss
    result = connection.run(["sh", "-c", "head -c 150000000 /dev/zero" + stream], deadline=30, keep=1000)
    assert result.stdout_bytes + result.stderr_bytes == 150_000_000
    assert psutil.Process().memory_info().rss - before < 48 << 20  # the server's side is in this process too


HOSTILE = [
    ("ops", "hang", "command_timeout", True),
    ("ops", "drip", "command_timeout", True),
    ("ops", "no-status", "no_exit_status", True),
    ("ops", "drop", "connection_lost", True),
    ("hang-open", "x", "command_timeout", False),
    ("no-session", "x", "command_refused", False),
]


@pytest.mark.parametrize(("username", "how", "code", "unknown"), HOSTILE)
def test_a_hostile_command_ends_in_time_with_its_own_error(
    host: Host, password: Secret, username: str, how: str, code: str, unknown: bool
) -> None:
    with connect(host.target(username=username), password, deadline=10) as connection:
        started = time.monotonic()
        with pytest.raises(SshError) as caught:
            connection.run(["hostile", how], deadline=DEADLINE)
        assert (caught.value.code, caught.value.outcome_unknown) == (code, unknown)
        assert caught.value.details["host"] == "was-01"
        assert time.monotonic() - started < DEADLINE + 1


def test_a_server_that_ignores_the_window_is_cut_off(connection: Connection) -> None:
    transport = connection._transport
    channel = transport.open_session()
    request(transport, channel, "exec", b"hostile ignore-window")  # and nobody reads
    transport.join(5)
    assert not transport.is_active()
    assert len(channel.in_buffer) < 2 * WINDOW


def test_a_command_that_is_late_leaves_the_connection_usable(connection: Connection) -> None:
    with pytest.raises(CommandTimeout):
        connection.run(["sleep", "5"], deadline=0.3)
    assert connection.run(["echo", "still here"], deadline=5).stdout == "still here\n"


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_a_command_is_cancelled_at_once(host: Host, password: Secret, how: str) -> None:
    cancel = threading.Event()
    with connect(host.target(), password, deadline=10, cancel=cancel) as connection:
        timer = threading.Timer(0.3, cancel.set)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled) as caught:
            connection.run(["hostile", how], deadline=30)
        assert caught.value.outcome_unknown
        assert time.monotonic() - started < 1.3
        with pytest.raises(Cancelled) as caught:
            connection.run(["true"], deadline=5)
        assert not caught.value.outcome_unknown
        timer.join()


def test_a_closed_connection_says_so(connection: Connection) -> None:
    connection.close()
    connection.close()
    with pytest.raises(SshError) as caught:
        connection.run(["true"], deadline=5)
    assert (caught.value.code, caught.value.outcome_unknown) == ("connection_lost", False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=5))
def test_parts_arrive_as_given(connection: Connection, parts: list[str]) -> None:
    result = connection.run(["printf", "%s\\0", "", *parts], deadline=10)
    assert result.stdout == "\0" + "".join(part + "\0" for part in parts)
