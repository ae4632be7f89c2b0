"""Real SSH servers for the connector's tests: asyncssh running real commands, and sockets that misbehave."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from execution.ssh.target import Secret, Target

PASSWORD = "canary-7c1f"
Talk = Callable[[socket.socket], None]


@dataclass
class Host:
    """A running server: where it is, its key, and what it saw."""

    port: int
    key_line: str
    root: Path
    attempts: list[str] = field(default_factory=list)
    """Every credential-bearing or `none` authentication that began."""

    def target(self, *, host_keys: tuple[str, ...] | None = None, username: str = "ops") -> Target:
        keys = (self.key_line,) if host_keys is None else host_keys
        return Target("was-01", "127.0.0.1", self.port, username, keys)


class _Login(asyncssh.SSHServer):
    def __init__(self, attempts: list[str], authorized: asyncssh.SSHAuthorizedKeys, root: Path) -> None:
        self._attempts, self._authorized, self._root = attempts, authorized, bytes(root)

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn

    async def begin_auth(self, username: str) -> bool:
        self._attempts.append(username)
        self._conn.set_authorized_keys(self._authorized)
        if username == "hang-auth":
            await asyncio.sleep(60)
        if username == "dismissed":
            self._conn.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many authentication failures")
        if username == "dropped":
            self._conn.abort()
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == PASSWORD

    def session_requested(self) -> Any:
        username = self._conn.get_extra_info("username")
        if username == "no-session":
            return False
        channel = self._conn.create_server_channel(encoding=None)
        session = asyncssh.SSHServerProcess(_process, self._files, 3, False)
        return channel, asyncio.sleep(60, session) if username == "hang-open" else session

    def _files(self, channel: Any) -> "_Files":
        return _Files(channel, chroot=self._root)


async def _process(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Commands named `hostile …` misbehave; all others run in a real shell."""
    command = process.command or ""
    if command.startswith("hostile "):
        await _misbehave(process, command.split()[1])
        return
    child = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert child.stdin and child.stdout and child.stderr
    feeding = asyncio.ensure_future(_pump(process.stdin, child.stdin))
    try:
        await asyncio.gather(_pump(child.stdout, process.stdout), _pump(child.stderr, process.stderr))
        process.exit(await child.wait())
    finally:
        feeding.cancel()
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()


async def _pump(reader: Any, writer: Any) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if isinstance(writer, asyncio.StreamWriter):
            writer.close()


async def _misbehave(process: asyncssh.SSHServerProcess[bytes], how: str) -> None:
    connection = process.channel.get_connection()
    if how == "no-status":
        process.stdout.write(b"half")
        process.close()
    elif how == "drop":
        process.stdout.write(b"half")
        connection.abort()
    elif how == "drip":
        for _ in range(600):
            process.stdout.write(b".")
            await asyncio.sleep(0.1)
    elif how == "ignore-window":
        for _ in range(256):  # 8 MiB past all flow control
            process.channel.send_packet(94, asyncssh.packet.String(b"x" * 32768))
        await asyncio.sleep(60)
    else:
        await asyncio.sleep(60)


class _Files(asyncssh.SFTPServer):
    """Files below the server's root; names beginning with `hang`, `short` or `full` misbehave."""

    async def open(self, path: bytes, *args: Any) -> object:
        if b"hang" in path:
            await asyncio.sleep(60)
        return super().open(path, *args)

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        if file_obj.name.endswith(b"full") and offset > 100_000:
            raise asyncssh.SFTPFailure("No space left\x1b[31m")
        if file_obj.name.endswith(b"short") and offset > 100_000:
            return len(data)
        return super().write(file_obj, offset, data)


class _Server:
    """An event loop in a thread."""

    def __enter__(self) -> "_Server":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def call(self, work: Awaitable[Any]) -> Any:
        async def wait() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result(10)

    def __exit__(self, *_error: object) -> None:
        self.call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _stop(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def public_line(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key().decode().split()[:2])


@pytest.fixture(scope="session")
def user_key() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def serve(tmp_path: Path, user_key: asyncssh.SSHKey) -> Iterator[Callable[..., Host]]:
    """Start servers: `serve()` or `serve(host_keys=[...])`."""
    authorized = asyncssh.import_authorized_keys(public_line(user_key))
    with _Server() as server, contextlib.ExitStack() as stack:

        def start(host_keys: list[asyncssh.SSHKey] | None = None) -> Host:
            keys = host_keys or [asyncssh.generate_private_key("ssh-ed25519")]
            host = Host(0, public_line(keys[0]), tmp_path)
            listener = server.call(
                asyncssh.create_server(
                    lambda: _Login(host.attempts, authorized, tmp_path),
                    "127.0.0.1",
                    0,
                    server_host_keys=keys,
                    login_timeout=0,
                )
            )
            stack.callback(server._loop.call_soon_threadsafe, listener.close)
            host.port = listener.get_port()
            return host

        yield start


@pytest.fixture
def host(serve: Callable[..., Host]) -> Host:
    return serve()


@pytest.fixture
def password() -> Secret:
    return Secret("password", PASSWORD)


@pytest.fixture
def raw_server() -> Iterator[Callable[[Talk], int]]:
    """Start a socket server that treats its first guest as told; gives the port."""
    with contextlib.ExitStack() as stack:

        def start(talk: Talk) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve_one() -> None:
                with contextlib.suppress(OSError):
                    guest, _address = listener.accept()
                    with guest:
                        talk(guest)

            thread = threading.Thread(target=serve_one, daemon=True)
            thread.start()
            stack.callback(thread.join, 5)
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            return int(listener.getsockname()[1])

        yield start


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Whatever happened, no transport thread may outlive its connection."""
    yield
    ends = time.monotonic() + 2
    while left := [thread for thread in threading.enumerate() if type(thread).__name__ == "QuietTransport"]:
        assert time.monotonic() < ends, left
        time.sleep(0.02)
