"""What the tests of the fleet share: hosts of their own, a pinned client, the health page."""

import io
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import paramiko

from demo.fleet import HostAccess, HostSpec, with_free_ports


def own_hosts(count: int) -> list[HostSpec]:
    """Hosts on addresses of this process, on free ports."""
    network = f"127.2.{os.getpid() % 250}"
    return with_free_ports([HostSpec(f"test-was-{n:02}", f"{network}.{n}", 22000, 28000) for n in range(1, count + 1)])


def pinned_client(address: str, port: int, host_key: str) -> paramiko.SSHClient:
    """A client that knows exactly this key of the host and refuses any other."""
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    entry = paramiko.hostkeys.HostKeyEntry.from_line(f"[{address}]:{port} {host_key}")
    assert entry is not None and entry.key is not None
    client.get_host_keys().add(f"[{address}]:{port}", entry.key.get_name(), entry.key)
    return client


def log_in(host: HostAccess, **other: Any) -> paramiko.SSHClient:
    """Connect with the inventory's credential, or with `other` arguments instead."""
    client = pinned_client(host.address, host.port, host.host_key)
    credential: dict[str, Any] = {"password": host.credential_secret}
    if host.credential_kind == "private_key":
        credential = {"pkey": private_key(host.credential_secret)}
    arguments = {"username": host.username, **credential, **other}
    client.connect(host.address, host.port, timeout=10, allow_agent=False, look_for_keys=False, **arguments)
    return client


def private_key(pem: str) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key(io.StringIO(pem))


def run(client: paramiko.SSHClient, command: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """(exit status, stdout, stderr) of a remote command."""
    to, out, err = client.exec_command(command, timeout=30)
    to.write(stdin)
    to.channel.shutdown_write()
    texts = out.read().decode(), err.read().decode()
    return out.channel.recv_exit_status(), *texts


def health(host: HostAccess) -> tuple[int, dict[str, object]]:
    """HTTP status and body of the host's health page."""
    url = f"http://{host.address}:{host.http_port}{host.health_path}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether `condition` became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
