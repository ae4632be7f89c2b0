"""Hostile peers that speak SSH (asyncssh) and go wrong in the log-in, the command, its output or SFTP."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal, Self

import asyncssh

SshKind = Literal[
    "changed_key",
    "wrong_password",
    "hang_auth",
    "hang_exec",
    "hang_output",
    "drip",
    "flood",
    "no_exit_code",
    "hang_sftp",
]

FLOOD_BYTES = 256 << 20
_CHUNK = b"x" * 32768


class Peer(tuple[str, int]):
    """(address, port), and what a client may know of the peer; `attempts` lists the users that tried to log in."""

    kind: str
    username: str
    password: str
    host_key: str
    attempts: list[str]

    def __new__(cls, address: str, port: int) -> Self:
        return super().__new__(cls, (address, port))


def new_peer(kind: str, address: str, port: int, host_key: str = "") -> Peer:
    """A peer with fresh credentials; without a `host_key` it advertises one that no server has."""
    peer = Peer(address, port)
    peer.kind = kind
    peer.username, peer.password = "ops", secrets.token_urlsafe(18)
    peer.host_key = host_key or _public(asyncssh.generate_private_key("ssh-ed25519"))
    peer.attempts = []
    return peer


@asynccontextmanager
async def serve_ssh(kind: str, address: str) -> AsyncIterator[Peer]:
    """Serve a peer of an `SshKind` on a free port of `address`; leaving ends its connections at once."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    connections: set[asyncssh.SSHServerConnection] = set()
    advertised = "" if kind == "changed_key" else _public(key)
    peer = new_peer(kind, address, 0, advertised)
    acceptor = await asyncssh.listen(
        address,
        0,
        server_factory=lambda: _Server(peer, connections),
        server_host_keys=[key],
        encoding=None,
        login_timeout=0,
        compression_algs=None,
    )
    try:
        served = Peer(address, acceptor.get_port())
        served.__dict__ = peer.__dict__
        yield served
    finally:
        acceptor.close()
        for connection in connections:
            connection.abort()
        await acceptor.wait_closed()


class _Server(asyncssh.SSHServer):
    def __init__(self, peer: Peer, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._peer, self._connections = peer, connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.add(conn)

    def begin_auth(self, username: str) -> bool:
        self._peer.attempts.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        if self._peer.kind == "hang_auth":
            await asyncio.Event().wait()
        if self._peer.kind == "wrong_password":
            return False
        return (username, password) == (self._peer.username, self._peer.password)

    def session_requested(self) -> Any:
        if self._peer.kind in ("hang_exec", "hang_sftp"):
            return _SilentSession()
        return asyncssh.SSHServerProcess(_BEHAVIOURS.get(self._peer.kind, _hang), None, 3, False)


class _SilentSession(asyncssh.SSHServerSession[bytes]):
    """Never says a word: asyncssh replies to a request only when its handler returns True or False."""

    def exec_requested(self, command: str) -> Any:
        return None

    def subsystem_requested(self, subsystem: str) -> bool:
        return True


async def _hang(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    await asyncio.Event().wait()


async def _drip(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    while True:
        process.stdout.write(b".")
        await asyncio.sleep(1)


async def _flood(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    for _ in range(FLOOD_BYTES // (2 * len(_CHUNK))):
        process.stdout.write(_CHUNK)
        process.stderr.write(_CHUNK)
        await process.stdout.drain()
        await process.stderr.drain()
    process.exit(0)


async def _no_exit_code(process: "asyncssh.SSHServerProcess[bytes]") -> None:
    process.stdout.write(b"almost done\n")
    process.close()


_BEHAVIOURS = {"drip": _drip, "flood": _flood, "no_exit_code": _no_exit_code}


def _public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key("openssh").decode("ascii").strip()
