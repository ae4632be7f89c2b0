"""Who is believed, who is refused, and that each refusal comes in time with its own name."""

import socket
import threading
import time
from collections.abc import Callable

import asyncssh
import pytest

from execution.ssh.connection import connect
from execution.ssh.exceptions import Cancelled, ChangedHostKey, SshError, UnknownHostKey
from execution.ssh.hostkeys import fingerprint
from execution.ssh.route import scan_host_key
from execution.ssh.target import Secret, Target

from .conftest import PASSWORD, Host, Talk, public_line

DEADLINE = 0.8
OTHER_KEY = public_line(asyncssh.generate_private_key("ssh-ed25519"))


def _drain(guest: socket.socket) -> None:
    while guest.recv(65536):
        pass


def _hold(*pieces: bytes) -> Talk:
    def talk(guest: socket.socket) -> None:
        for piece in pieces:
            guest.sendall(piece)
        _drain(guest)

    return talk


def _flood_line(guest: socket.socket) -> None:
    while True:
        guest.sendall(b"x" * 65536)


def _drip(guest: socket.socket) -> None:
    for letter in b"SSH-2.0-" + b"x" * 200:
        guest.sendall(bytes([letter]))
        time.sleep(0.1)


def _hang_up_after(data: bytes) -> Talk:
    def talk(guest: socket.socket) -> None:
        guest.sendall(data)
        guest.recv(64)

    return talk


HOSTILE = [
    ("silent", _hold(), "connect_timeout"),
    ("banner, then silent", _hold(b"SSH-2.0-x\r\n"), "connect_timeout"),
    ("banner by drips", _drip, "connect_timeout"),
    ("half a packet", _hold(b"SSH-2.0-x\r\n", b"\0\0\1\0\4"), "connect_timeout"),
    ("a packet of 2 GB", _hold(b"SSH-2.0-x\r\n", b"\x7f\xff\xff\xf8" * 64), "protocol_mismatch"),
    ("endless banner line", _flood_line, "protocol_mismatch"),
    ("not SSH", _hang_up_after(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "connection_lost"),
    ("old SSH", _hold(b"SSH-1.5-old\r\n"), "protocol_mismatch"),
    ("hangs up", lambda guest: None, "connection_lost"),
]


@pytest.mark.parametrize(("talk", "code"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_a_hostile_handshake_ends_in_time_with_its_own_error(
    raw_server: Callable[[Talk], int], password: Secret, talk: Talk, code: str
) -> None:
    target = Target("was-01", "127.0.0.1", raw_server(talk), "ops", (OTHER_KEY,))
    started = time.monotonic()
    with pytest.raises(SshError) as caught:
        connect(target, password, deadline=DEADLINE)
    assert (caught.value.code, caught.value.outcome_unknown) == (code, False)
    assert caught.value.details["host"] == "was-01"
    assert time.monotonic() - started < DEADLINE + 1


@pytest.mark.parametrize(
    ("username", "value", "code"),
    [
        ("ops", "wrong", "auth_refused"),
        ("dismissed", PASSWORD, "auth_refused"),
        ("dropped", PASSWORD, "connection_lost"),
        ("hang-auth", PASSWORD, "auth_timeout"),
    ],
)
def test_authentication_fails_in_time(host: Host, username: str, value: str, code: str) -> None:
    with pytest.raises(SshError) as caught:
        connect(host.target(username=username), Secret("password", value), deadline=DEADLINE)
    assert caught.value.code == code
    assert value not in repr(caught.value.details) + repr(caught.value.args[1:])


@pytest.mark.parametrize("address", ["127.0.0.1", "no-such-name.invalid"])
def test_nobody_listens(password: Secret, address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(SshError) as caught:
        connect(Target("h", address, port, "ops", (OTHER_KEY,)), password, deadline=DEADLINE)
    assert caught.value.code == "host_down"


def test_an_unknown_host_key_is_refused_before_any_credential(host: Host, password: Secret) -> None:
    with pytest.raises(UnknownHostKey) as caught:
        connect(host.target(host_keys=()), password, deadline=5)
    assert caught.value.details["offered"] == fingerprint(host.key_line)
    assert host.attempts == []


def test_a_changed_host_key_is_refused_before_any_credential(host: Host, password: Secret) -> None:
    with pytest.raises(ChangedHostKey) as caught:
        connect(host.target(host_keys=(OTHER_KEY,)), password, deadline=5)
    shown = {name: caught.value.details[name] for name in ("offered", "pinned")}
    assert shown == {"offered": fingerprint(host.key_line), "pinned": fingerprint(OTHER_KEY)}
    assert host.attempts == []


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_the_pinned_type_of_key_is_negotiated(serve: Callable[..., Host], password: Secret, kind: str) -> None:
    keys = {name: asyncssh.generate_private_key(name) for name in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")}
    host = serve(host_keys=list(keys.values()))
    with connect(host.target(host_keys=(public_line(keys[kind]),)), password, deadline=10) as connection:
        assert connection.run(["true"], deadline=5).exit_status == 0
    assert host.attempts == ["ops"]


def test_a_private_key_opens_and_a_broken_one_needs_no_connection(host: Host, user_key: asyncssh.SSHKey) -> None:
    for passphrase in (None, "open sesame"):
        pem = user_key.export_private_key(passphrase=passphrase, rounds=2, ignore_few_rounds=True).decode()
        with connect(host.target(), Secret("private_key", pem, passphrase), deadline=10) as connection:
            assert connection.run(["true"], deadline=5).exit_status == 0
    attempts = list(host.attempts)
    for broken in (Secret("private_key", "nonsense"), Secret("private_key", pem, "wrong")):
        with pytest.raises(SshError) as caught:
            connect(host.target(), broken, deadline=5)
        assert caught.value.code == "bad_credential"
    assert host.attempts == attempts


def test_a_scan_shows_the_key_and_sends_no_credential(host: Host) -> None:
    assert scan_host_key(host.target(host_keys=()), deadline=5) == host.key_line
    assert host.attempts == []


@pytest.mark.parametrize(
    "line",
    ["", "ssh-ed25519", "ssh-ed25519 !!!", "ssh-rsa " + OTHER_KEY.split()[1]],
    ids=["empty", "no key", "not base64", "another type"],
)
def test_a_broken_pinned_line_is_named(line: str) -> None:
    with pytest.raises(SshError) as caught:
        fingerprint(line)
    assert caught.value.code == "bad_host_key"


def test_connecting_is_cancelled_at_once(raw_server: Callable[[Talk], int], password: Secret) -> None:
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        target = Target("h", "127.0.0.1", raw_server(_hold(b"SSH-2.0-x\r\n")), "ops", (OTHER_KEY,))
        connect(target, password, deadline=30, cancel=cancel)
    assert time.monotonic() - started < 1.3
    timer.join()


def test_a_secret_never_shows_itself(password: Secret) -> None:
    assert PASSWORD not in f"{password!r} {password} {[password]}"


def test_nothing_is_logged_by_the_library(host: Host, password: Secret, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    with connect(host.target(), password, deadline=10) as connection:
        connection.run(["true"], deadline=5)
    with pytest.raises(SshError):
        connect(host.target(), Secret("password", "canary-wrong"), deadline=5)
    assert not [record for record in caplog.records if record.name.startswith("paramiko")]
    assert "canary" not in caplog.text


def test_no_frame_of_a_refusal_leads_to_the_password(host: Host) -> None:
    with pytest.raises(SshError) as caught:
        connect(host.target(), Secret("password", "canary-wrong"), deadline=5)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
