"""The hosts' SSH servers, seen by paramiko with pinned keys."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import paramiko
import pytest
from fleet_tools import log_in, private_key, run

from demo.fleet import Fleet, HostAccess


@pytest.mark.parametrize(
    ("command", "stdin", "expected"),
    [
        ("true", b"", (0, "", "")),
        ("printf out; printf err >&2; exit 7", b"", (7, "out", "err")),
        ("printf out; exec >&-; sleep 0.3; printf err >&2; exit 7", b"", (7, "out", "err")),
        ("cat", "한글 input".encode(), (0, "한글 input", "")),
        ("echo 'a  b' | tr a c", b"", (0, "c  b\n", "")),
    ],
)
def test_commands_are_real(
    client: paramiko.SSHClient, command: str, stdin: bytes, expected: tuple[int, str, str]
) -> None:
    assert run(client, command, stdin) == expected


def test_output_of_many_megabytes_arrives_whole(client: paramiko.SSHClient) -> None:
    status, out, _ = run(client, "head -c 5000000 /dev/zero | tr '\\0' x")

    assert (status, len(out)) == (0, 5_000_000)


def test_a_command_sees_the_hosts_home_and_not_the_users(fleet: Fleet, client: paramiko.SSHClient) -> None:
    assert run(client, 'printf %s "$HOME"') == (0, str(fleet.tree(fleet.hosts[0]).root), "")


def test_a_background_process_does_not_hold_its_session(client: paramiko.SSHClient) -> None:
    assert run(client, "sleep 60 >/dev/null 2>&1 </dev/null & echo started")[:2] == (0, "started\n")


def test_files_go_up_and_are_what_the_host_says(client: paramiko.SSHClient, host: HostAccess, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000
    remote = f"{host.incoming_dir}/up.bin"

    with client.open_sftp() as sftp, sftp.open(remote, "wb") as file:
        file.set_pipelined(True)
        file.write(content)

    status, out, _ = run(client, f"sha256sum {remote}")
    assert (status, out.split()[0]) == (0, hashlib.sha256(content).hexdigest())
    with client.open_sftp() as sftp:
        sftp.get(remote, str(tmp_path / "down.bin"))
    assert (tmp_path / "down.bin").read_bytes() == content


def test_each_host_has_its_own_key_and_credential(fleet: Fleet) -> None:
    hosts = fleet.inventory()

    assert len({h.host_key for h in hosts}) == len({h.credential_secret for h in hosts}) == len(hosts)
    assert all(h.host_key.startswith("ssh-ed25519 AAAA") for h in hosts)
    assert all(h.credential_secret not in repr(h) for h in hosts)


def test_the_neighbours_credential_is_refused(fleet: Fleet) -> None:
    host, neighbour = fleet.inventory()
    kind = "pkey" if host.credential_kind == "private_key" else "password"
    secret = neighbour.credential_secret
    with pytest.raises(paramiko.AuthenticationException):
        log_in(host, **{kind: private_key(secret) if kind == "pkey" else secret})


def test_an_unpinned_key_is_refused(fleet: Fleet) -> None:
    host, neighbour = fleet.inventory()
    changed = {name: getattr(host, name) for name in HostAccess.__slots__} | {"host_key": neighbour.host_key}
    with pytest.raises(paramiko.BadHostKeyException):
        log_in(HostAccess(**changed))


def test_the_key_works_beside_the_password(fleet: Fleet, host: HostAccess) -> None:
    pem = (fleet.tree(fleet.hosts[0]).ssh / "account_key").read_text()

    with log_in(host, password=None, pkey=private_key(pem)) as client:
        assert run(client, "echo in")[1] == "in\n"
    with pytest.raises(paramiko.AuthenticationException):
        log_in(host, username="somebody", password=None, pkey=private_key(pem))


def test_many_connections_at_once(host: HostAccess) -> None:
    def one(number: int) -> str:
        with log_in(host) as client:
            return run(client, f"echo {number}")[1].strip()

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == [str(n) for n in range(20)]
