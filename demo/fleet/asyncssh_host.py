"""Hosts served by asyncssh where OpenSSH is missing: real commands by /bin/sh, real SFTP, an account per host."""

import os
import secrets
import signal
import subprocess

import asyncssh

from demo.fleet.children import Children
from demo.fleet.processes import MARKER
from demo.fleet.tree import HostTree


class _Account(asyncssh.SSHServer):
    """Knows one account, by its password and by its key."""

    def __init__(self, tree: HostTree) -> None:
        self._username = tree.account
        self._password = (tree.ssh / "password").read_bytes()
        self._key = asyncssh.read_public_key(tree.ssh / "authorized_keys")

    def password_auth_supported(self) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == self._username and secrets.compare_digest(password.encode(), self._password)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == self._username and key == self._key


class _Shell:
    """Runs what a session asks for as a process of the host."""

    def __init__(self, children: Children, tree: HostTree) -> None:
        self._children, self._tree = children, tree

    async def __call__(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        command = ["/bin/sh", "-c", process.command] if process.command is not None else ["/bin/sh"]
        child = self._children.spawn(
            command,
            env=self._environment(),
            cwd=self._tree.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        pipes = child.process
        # Without send_eof=False the end of one stream ends the channel and what the other still holds is lost.
        await process.redirect(stdin=pipes.stdin, stdout=pipes.stdout, stderr=pipes.stderr, send_eof=False)
        # As sshd does: a client that goes away doesn't end its command, and the answer waits for the output's end.
        code = await child.exited
        await process.stdout.drain()
        await process.stderr.drain()
        if code < 0:
            process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))
        else:
            process.exit(code)
        await process.wait_closed()

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self._tree.root),
            "USER": self._tree.account,
            "LOGNAME": self._tree.account,
            "SHELL": "/bin/sh",
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "PATH": self._tree.path,
            MARKER: str(self._tree.home),
        }


async def listen(children: Children, tree: HostTree) -> asyncssh.SSHAcceptor:
    """Serve the host's SSH on its address and port until the returned acceptor is closed."""
    return await asyncssh.listen(
        tree.spec.address,
        tree.spec.ssh_port,
        server_factory=lambda: _Account(tree),
        server_host_keys=[str(tree.ssh / "host_key")],
        process_factory=_Shell(children, tree),
        sftp_factory=True,
        encoding=None,
        allow_pty=False,
        allow_scp=False,
        agent_forwarding=False,
        compression_algs=None,
        login_timeout=30,
        backlog=256,
    )
