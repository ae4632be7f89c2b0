"""The hostile peers do what their names say, and end when told to."""

import socket
import threading
import time
from collections.abc import Callable

import paramiko
import pytest
from fleet_tools import pinned_client

from demo.fleet.hostile import FLOOD_BYTES, KINDS, Peer, hostile

PATIENCE = 1.5  # seconds after which a peer counts as silent


def log_in(peer: Peer) -> paramiko.SSHClient:
    client = pinned_client(*peer, peer.host_key)
    client.connect(
        *peer,
        username=peer.username,
        password=peer.password,
        timeout=PATIENCE,
        banner_timeout=PATIENCE,
        auth_timeout=PATIENCE,
        allow_agent=False,
        look_for_keys=False,
    )
    return client


@pytest.mark.parametrize("kind", KINDS)
def test_every_peer_ends_at_once_with_a_client_inside(kind: str) -> None:
    with hostile(kind) as peer:
        address, port = peer
        with socket.socket() as client:
            refused = client.connect_ex((address, port)) != 0
        assert refused == (kind == "down")
        began = time.monotonic()

    assert time.monotonic() - began < 5
    assert not [t for t in threading.enumerate() if t.name == f"hostile-{kind}"]
    with socket.socket() as client:
        assert client.connect_ex((address, port)) != 0


@pytest.mark.parametrize(
    ("kind", "banner"), [("hang_banner", b""), ("drip_banner", b"SS"), ("hang_kex", b"SSH-2.0-OpenSSH_9.2p1\r\n")]
)
def test_what_is_said_before_the_keys(kind: str, banner: bytes) -> None:
    with hostile(kind) as peer, socket.create_connection(peer) as client:
        client.sendall(b"SSH-2.0-test\r\n")
        client.settimeout(PATIENCE)
        said = b""
        with pytest.raises(TimeoutError):
            deadline = time.monotonic() + PATIENCE
            while True:
                client.settimeout(max(deadline - time.monotonic(), 0.01))
                said += client.recv(100)

    assert said == banner


@pytest.mark.parametrize(
    ("kind", "error", "reaches_log_in"),
    [
        ("changed_key", paramiko.BadHostKeyException, False),
        ("wrong_password", paramiko.AuthenticationException, True),
        ("hang_auth", paramiko.AuthenticationException, True),
    ],
)
def test_a_log_in_fails(kind: str, error: type[Exception], reaches_log_in: bool) -> None:
    with hostile(kind) as peer:
        with pytest.raises(error):
            log_in(peer)
        assert peer.attempts == [peer.username] * reaches_log_in


def test_a_peer_that_takes_passwords_takes_only_its_own() -> None:
    with hostile("drip") as peer:
        client = pinned_client(*peer, peer.host_key)
        with client, pytest.raises(paramiko.AuthenticationException):
            client.connect(*peer, peer.username, peer.password + "x", allow_agent=False, look_for_keys=False)


def exec_never_answered(transport: paramiko.Transport) -> None:
    channel = transport.open_session(timeout=PATIENCE)
    answered = threading.Event()

    def ask() -> None:
        try:
            channel.exec_command("true")
        except paramiko.SSHException:
            return  # the connection was closed under it
        answered.set()

    threading.Thread(target=ask, daemon=True).start()
    assert not answered.wait(PATIENCE)


def accepted(transport: paramiko.Transport) -> paramiko.Channel:
    channel = transport.open_session(timeout=PATIENCE)
    channel.exec_command("true")
    channel.settimeout(PATIENCE)
    return channel


def output_hangs(transport: paramiko.Transport) -> None:
    with pytest.raises(TimeoutError):
        accepted(transport).recv(1)


def output_drips(transport: paramiko.Transport) -> None:
    channel = accepted(transport)
    began = time.monotonic()
    assert [channel.recv(10) for _ in range(3)] == [b"."] * 3
    assert time.monotonic() - began > 1


def both_streams_flood(transport: paramiko.Transport) -> None:
    channel = accepted(transport)
    received = [0, 0]
    while min(received) < 4 << 20:
        received[0] += len(channel.recv(1 << 20))
        received[1] += len(channel.recv_stderr(1 << 20))
    assert sum(received) < FLOOD_BYTES
    assert not channel.exit_status_ready()


def exit_status_is_missing(transport: paramiko.Transport) -> None:
    channel = accepted(transport)
    assert channel.recv(100) == b"almost done\n"
    assert channel.recv(100) == b""
    assert channel.recv_exit_status() == -1


def sftp_hangs(transport: paramiko.Transport) -> None:
    channel = transport.open_session(timeout=PATIENCE)
    channel.invoke_subsystem("sftp")
    channel.settimeout(PATIENCE)
    channel.sendall(b"\x00\x00\x00\x05\x01\x00\x00\x00\x03")  # SSH_FXP_INIT, version 3
    with pytest.raises(TimeoutError):
        channel.recv(1)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("hang_exec", exec_never_answered),
        ("hang_output", output_hangs),
        ("drip", output_drips),
        ("flood", both_streams_flood),
        ("no_exit_code", exit_status_is_missing),
        ("hang_sftp", sftp_hangs),
    ],
)
def test_what_goes_wrong_after_the_log_in(kind: str, check: Callable[[paramiko.Transport], None]) -> None:
    with hostile(kind) as peer, log_in(peer) as client:
        transport = client.get_transport()
        assert transport is not None
        check(transport)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="hang_banner"), hostile("nice"):
        pass
