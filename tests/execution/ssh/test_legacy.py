"""Old servers: refused as they are, reached where their profile allows exactly what they need."""

from pathlib import Path

import pytest

from demo.fleet.backends import find_sshd
from execution.ssh.connection import connect
from execution.ssh.exceptions import ProtocolMismatch
from execution.ssh.legacy import LEGACY

from .sshd import running_sshd

pytestmark = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed")
MODERN = {"kex": "curve25519-sha256", "key": "", "cipher": "aes128-ctr", "mac": "hmac-sha2-256"}
OPTION = {"kex": "KexAlgorithms", "key": "HostKeyAlgorithms", "cipher": "Ciphers", "mac": "MACs"}
ONE_BY_ONE = [(kind, name) for kind, names in LEGACY.items() for name in names]


def config(**only: str) -> str:
    return "\n".join(f"{OPTION[kind]} {name}" for kind, name in only.items())


@pytest.mark.parametrize(("kind", "name"), ONE_BY_ONE, ids=[name for _, name in ONE_BY_ONE])
def test_an_old_algorithm_is_spoken_only_where_it_is_allowed(tmp_path: Path, kind: str, name: str) -> None:
    lines = config(**{kind: name})
    lines += "\nCiphers aes128-ctr" if kind == "mac" else ""  # with AES-GCM no MAC is negotiated
    with running_sshd(tmp_path, lines, key="ssh-rsa" if kind == "key" else "ssh-ed25519") as server:
        with pytest.raises(ProtocolMismatch):
            connect(server.target(), server.secret, deadline=10)
        others = tuple(other for other in sum(LEGACY.values(), ()) if other != name)
        with pytest.raises(ProtocolMismatch):
            connect(server.target(legacy=others), server.secret, deadline=10)
        with connect(server.target(legacy=(name,)), server.secret, deadline=10) as connection:
            assert connection.run(["echo", "가디아"], deadline=10).stdout == "가디아\n"


def test_the_oldest_server_of_all_is_reached_with_a_key_signed_the_old_way(tmp_path: Path) -> None:
    lines = config(kex="diffie-hellman-group1-sha1", key="ssh-rsa", cipher="3des-cbc", mac="hmac-md5")
    lines += "\nPubkeyAcceptedAlgorithms ssh-rsa"
    with running_sshd(tmp_path, lines, key="ssh-rsa", user_key="ssh-rsa") as server:
        legacy = ("diffie-hellman-group1-sha1", "ssh-rsa", "3des-cbc", "hmac-md5")
        with connect(server.target(legacy=legacy), server.secret, deadline=10) as connection:
            assert connection.run(["true"], deadline=10).exit_status == 0


def test_what_is_allowed_is_not_used_with_a_server_that_knows_better(tmp_path: Path) -> None:
    with running_sshd(tmp_path, "Ciphers +3des-cbc\nKexAlgorithms +diffie-hellman-group1-sha1") as server:
        every = sum(LEGACY.values(), ())
        with connect(server.target(legacy=every), server.secret, deadline=10) as connection:
            assert connection._transport.remote_cipher == "aes128-gcm@openssh.com"  # type: ignore[attr-defined]
