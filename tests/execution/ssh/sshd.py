"""A real OpenSSH server in the foreground, unprivileged, for what only the real one can show."""

import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from demo.fleet.backends import find_sshd
from demo.fleet.openssh import prepare_machine
from execution.ssh.target import Secret, Target

USER = pwd.getpwuid(os.getuid()).pw_name
_CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PidFile none
PasswordAuthentication no
PermitRootLogin prohibit-password
MaxStartups 1000
LogLevel ERROR
Subsystem sftp internal-sftp
{lines}
"""


@dataclass
class Sshd:
    port: int
    key_line: str
    secret: Secret

    def target(self, name: str = "was-01", **options: object) -> Target:
        values = {"host_keys": (self.key_line,), **options}
        return Target(name, "127.0.0.1", self.port, USER, **values)  # type: ignore[arg-type]


@contextmanager
def running_sshd(
    folder: Path, lines: str = "", *, key: str = "ssh-ed25519", user_key: str = "ssh-ed25519"
) -> Iterator[Sshd]:
    """Serve until the block ends; `lines` go into the configuration, `key` is the kind of the host key."""
    prepare_machine()
    folder.mkdir(parents=True, exist_ok=True)
    host, user = asyncssh.generate_private_key(key), asyncssh.generate_private_key(user_key)
    (folder / "host_key").write_bytes(host.export_private_key())
    (folder / "host_key").chmod(0o600)
    (folder / "authorized_keys").write_bytes(user.export_public_key())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder, lines=lines))
    command = [str(find_sshd()), "-D", "-e", "-f", str(folder / "config")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "log")
        public = " ".join(host.export_public_key().decode().split()[:2])
        yield Sshd(port, public, Secret("private_key", user.export_private_key().decode()))
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        assert process.poll() is None, log.read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("sshd didn't begin to listen")
