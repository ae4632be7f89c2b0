"""Uploads: whole, verified, bounded."""

import hashlib
import io
import os
import threading
import time
from pathlib import Path

import pytest

from demo.fleet.backends import find_sshd
from execution.ssh.connection import connect
from execution.ssh.exceptions import Cancelled, SshError
from execution.ssh.target import Secret

from .conftest import Host
from .sshd import running_sshd

DEADLINE = 0.8


def test_eight_mebibytes_arrive_as_they_are(host: Host, password: Secret) -> None:
    data = os.urandom(8 << 20)
    (host.root / "app.war").write_bytes(b"old" * 5_000_000)
    steps: list[int] = []
    with connect(host.target(), password, deadline=10) as connection:
        connection.upload(io.BytesIO(data), "/app.war", size=len(data), deadline=30, mode=0o600, progress=steps.append)
        checked = connection.run(["sha256sum", str(host.root / "app.war")], deadline=10)
    assert checked.stdout.split()[0] == hashlib.sha256(data).hexdigest()
    assert steps == sorted(steps)
    assert steps[-1] == len(data)
    assert (host.root / "app.war").stat().st_mode & 0o777 == 0o600


def test_an_empty_file_arrives(host: Host, password: Secret) -> None:
    with connect(host.target(), password, deadline=10) as connection:
        connection.upload(io.BytesIO(), "/empty", size=0, deadline=5)
    assert (host.root / "empty").read_bytes() == b""


@pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed")
@pytest.mark.parametrize("size", [1, 32_000, 255 << 10, (255 << 10) + 1, 3_000_001])
def test_files_of_any_size_arrive_at_openssh(tmp_path: Path, size: int) -> None:
    data, steps = os.urandom(size), list[int]()
    with (
        running_sshd(tmp_path / "sshd") as server,
        connect(server.target(), server.secret, deadline=20) as connection,
    ):
        connection.upload(io.BytesIO(data), str(tmp_path / "file"), size=size, deadline=30, progress=steps.append)
    assert (tmp_path / "file").read_bytes() == data
    assert steps == sorted(steps) and steps[-1] == size


HOSTILE = [
    ("/hang", 10, 10, "transfer_timeout"),
    ("/full", 1 << 20, 1 << 20, "transfer_failed"),
    ("/short", 1 << 20, 1 << 20, "transfer_failed"),
    ("/no/such/folder", 10, 10, "transfer_failed"),
    ("/file", 10, 11, "transfer_failed"),
    ("/file", 11, 10, "transfer_failed"),
]


@pytest.mark.parametrize(("path", "real", "claimed", "code"), HOSTILE)
def test_a_bad_transfer_ends_in_time_and_leaves_the_connection(
    host: Host, password: Secret, path: str, real: int, claimed: int, code: str
) -> None:
    with connect(host.target(), password, deadline=10) as connection:
        started = time.monotonic()
        with pytest.raises(SshError) as caught:
            connection.upload(io.BytesIO(b"x" * real), path, size=claimed, deadline=DEADLINE)
        assert caught.value.code == code
        assert "\x1b" not in str(caught.value.details)
        assert time.monotonic() - started < DEADLINE + 1
        assert connection.run(["true"], deadline=5).exit_status == 0


def test_an_upload_is_cancelled_at_once(host: Host, password: Secret) -> None:
    cancel = threading.Event()
    with connect(host.target(), password, deadline=10, cancel=cancel) as connection:
        timer = threading.Timer(0.3, cancel.set)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            connection.upload(io.BytesIO(b"x"), "/hang", size=1, deadline=30)
        assert time.monotonic() - started < 1.3
        timer.join()


def test_a_session_that_is_refused(host: Host, password: Secret) -> None:
    with (
        connect(host.target(username="no-session"), password, deadline=10) as connection,
        pytest.raises(SshError) as caught,
    ):
        connection.upload(io.BytesIO(b"x"), "/x", size=1, deadline=5)
    assert caught.value.code == "transfer_failed"
