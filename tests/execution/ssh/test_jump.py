"""Hosts behind others: every hop is known, the deadline holds for the whole way, and a failure names its hop."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from demo.fleet.backends import find_sshd
from execution.ssh.connection import connect
from execution.ssh.exceptions import Cancelled, CommandTimeout, ConnectTimeout, HostDown, JumpFailed
from execution.ssh.route import scan_host_key
from execution.ssh.target import Hop, Secret, Target

from .conftest import PASSWORD, Host, Talk, public_line
from .sshd import Sshd, running_sshd

pytestmark = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed")


@pytest.fixture
def jump(tmp_path: Path) -> Iterator[Sshd]:
    with running_sshd(tmp_path / "jump", "AllowTcpForwarding local") as server:
        yield server


def hop(server: Sshd, name: str = "jump-01", **options: object) -> Hop:
    return Hop(server.target(name, **options), server.secret)


def test_a_host_behind_two_others_is_reached_and_fed(tmp_path: Path, jump: Sshd, host: Host, password: Secret) -> None:
    data = bytes(range(256)) * 8192  # 2 MiB
    with running_sshd(tmp_path / "second", "AllowTcpForwarding local") as second:
        via = [hop(jump), hop(second, "jump-02")]
        with connect(host.target(), password, deadline=10, via=via) as connection:
            assert connection.run(["echo", "안녕"], deadline=10).stdout == "안녕\n"
            with (tmp_path / "data").open("w+b") as source:
                source.write(data)
                source.seek(0)
                connection.upload(source, "/copy", size=len(data), deadline=20)
            flood = connection.run(["sh", "-c", "head -c 8000000 /dev/zero"], deadline=20)
    assert (host.root / "copy").read_bytes() == data
    assert flood.stdout_bytes == 8_000_000 and flood.truncated


def test_the_host_key_of_every_hop_is_pinned(jump: Sshd, host: Host, password: Secret) -> None:
    other = public_line(asyncssh.generate_private_key("ssh-ed25519"))
    for keys, code in (((), "unknown_host_key"), ((other,), "changed_host_key")):
        with pytest.raises(JumpFailed) as caught:
            connect(host.target(), password, deadline=5, via=[hop(jump, host_keys=keys)])
        assert caught.value.details["hop"] == "jump-01" and caught.value.details["reason"] == code
        assert "jump-01" in str(caught.value)
    assert host.attempts == []
    with pytest.raises(JumpFailed) as caught:
        connect(host.target(), password, deadline=5, via=[Hop(jump.target("jump-01"), Secret("password", PASSWORD))])
    assert caught.value.details["reason"] == "auth_refused"


def test_a_jump_host_that_forwards_nothing_or_nowhere(tmp_path: Path, jump: Sshd, host: Host, password: Secret) -> None:
    with running_sshd(tmp_path / "closed", "AllowTcpForwarding no") as closed, pytest.raises(HostDown):
        connect(host.target(), password, deadline=5, via=[hop(closed)])
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(HostDown):
        connect(Target("was-01", "127.0.0.1", port, "ops", (host.key_line,)), password, deadline=5, via=[hop(jump)])


def test_the_deadline_holds_through_the_jump(
    jump: Sshd, host: Host, password: Secret, raw_server: Callable[[Talk], int]
) -> None:
    port = raw_server(lambda guest: guest.recv(1 << 20) and time.sleep(3))
    silent = Target("was-01", "127.0.0.1", port, "ops", (host.key_line,))
    with pytest.raises(ConnectTimeout):
        connect(silent, password, deadline=1, via=[hop(jump)])
    with connect(host.target(), password, deadline=10, via=[hop(jump)]) as connection:
        with pytest.raises(CommandTimeout):
            connection.run(["sleep", "30"], deadline=0.5)
        assert connection.run(["echo", "on"], deadline=5).stdout == "on\n"


def test_a_jump_host_that_stalls_in_the_middle_is_cut_off(tmp_path: Path, host: Host, password: Secret) -> None:
    cancel = threading.Event()
    with running_sshd(tmp_path / "stall", "AllowTcpForwarding local") as stall:
        connection = connect(host.target(), password, deadline=10, via=[hop(stall)], cancel=cancel)
        threading.Timer(0.5, cancel.set).start()
        with pytest.raises(Cancelled):
            connection.run(["sleep", "30"], deadline=30)
        connection.close()
        connection.close()


def test_the_key_of_a_host_behind_a_jump_is_scanned_without_a_credential(jump: Sshd, host: Host) -> None:
    assert scan_host_key(host.target(host_keys=()), deadline=5, via=[hop(jump)]) == host.key_line
    assert host.attempts == []


def test_many_at_once_through_one_door(jump: Sshd, host: Host, password: Secret) -> None:
    done: list[str] = []

    def work(number: int) -> None:
        with connect(host.target(), password, deadline=30, via=[hop(jump)]) as connection:
            done.append(connection.run(["echo", str(number)], deadline=20).stdout.strip())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done, key=int) == [str(number) for number in range(24)]
