"""Servers that misuse the protocol itself: floods of messages nobody asked for, before and after the log-in, and lies
within SFTP. The client runs in a process of its own, so that its time and memory are its alone."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko import common

from .conftest import PASSWORD

REPOSITORY = Path(__file__).resolve().parents[3]
DEADLINE, GRACE, MEMORY_MIB = 3.0, 2.0, 32
GIGABYTE = 1 << 30
#: What the client does, and what it tells: the error's code, seconds, and by how many MiB its memory grew.
CLIENT = f"""
import io, json, re, sys, time
from execution.ssh.connection import connect
from execution.ssh.exceptions import SshError
from execution.ssh.target import Secret, Target
port, key, act, seconds = int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])
import execution.ssh.sftp, execution.ssh.command
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before, code = peak(), ""
started = time.monotonic()
try:
    target, password = Target("h", "127.0.0.1", port, "ops", (key,)), Secret("password", {PASSWORD!r})
    with connect(target, password, deadline=seconds) as c:
        started = time.monotonic()
        if act == "run":
            result = c.run(["true"], deadline=seconds, keep=1 << 20)
            code = f"exit {{result.exit_status}} {{result.stdout_bytes}} {{result.stderr_bytes}}"
        elif act == "upload":
            c.upload(io.BytesIO(b"x" * 100_000), "/app.war", size=100_000, deadline=seconds)
            code = "uploaded"
except SshError as error:
    code = error.code
print(json.dumps({{"code": code, "seconds": time.monotonic() - started, "mib": peak() - before}}))
"""
Peer = Callable[["Server"], None]


class Server(paramiko.ServerInterface):
    """Takes the password and hands what comes then to `peer`, which may send any message it likes."""

    def __init__(self, transport: paramiko.Transport, peer: Peer) -> None:
        self.transport, self.peer, self.channel = transport, peer, 0
        self.opened: Any = None

    def check_auth_password(self, username: str, password: str) -> int:
        self.misbehave("auth")
        return common.AUTH_SUCCESSFUL if password == PASSWORD else common.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        self.channel = chanid
        return common.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.opened = channel
        threading.Thread(target=self.misbehave, args=("exec",), daemon=True).start()
        return True

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self.opened = channel
        threading.Thread(target=self.misbehave, args=("sftp",), daemon=True).start()
        return True

    def misbehave(self, where: str) -> None:
        if getattr(self.peer, "where", "exec") == where:
            with suppress(Exception):  # whatever ends it: the client is gone
                self.peer(self)

    def send(self, *parts: Any) -> None:
        """One message; ints are uint32, bytes and text are strings, a `bytes` of one as the first is the kind."""
        message = paramiko.Message()
        message.add_byte(parts[0])
        for part in parts[1:]:
            if isinstance(part, bool):
                message.add_boolean(part)
            elif isinstance(part, int):
                message.add_int(part)
            else:
                message.add_string(part)
        if not self.transport.is_active():
            raise EOFError
        self.transport._send_message(message)  # type: ignore[attr-defined]


def at(where: str) -> Callable[[Peer], Peer]:
    def mark(peer: Peer) -> Peer:
        peer.where = where  # type: ignore[attr-defined]
        return peer

    return mark


def ignored(server: Server) -> None:
    while True:
        server.send(common.cMSG_IGNORE, b"x" * 30_000)


def debugged(server: Server) -> None:
    while True:
        server.send(common.cMSG_DEBUG, True, b"\x1b]0;x\x07" * 3000, b"")


def asked_globally(server: Server) -> None:
    while True:
        server.send(common.cMSG_GLOBAL_REQUEST, "keepalive@openssh.com", True)


def opened_towards_us(server: Server) -> None:
    number = 0
    while True:
        number += 1
        server.send(common.cMSG_CHANNEL_OPEN, "forwarded-tcpip", number, 1 << 30, 1 << 15, "a", 1, "b", 2)


def asked_on_the_channel(server: Server) -> None:
    while True:
        server.send(common.cMSG_CHANNEL_REQUEST, server.channel, "tell-me@example.org", True)


def keyed_again_and_again(server: Server) -> None:
    while True:
        server.transport.renegotiate_keys()


def window_of_everything(server: Server) -> None:
    while True:
        server.send(common.cMSG_CHANNEL_WINDOW_ADJUST, server.channel, 0xFFFFFFFF)


def statuses_without_end(server: Server) -> None:
    while True:
        server.send(common.cMSG_CHANNEL_REQUEST, server.channel, "exit-status", False, 0)


def data_for_nobody(server: Server) -> None:
    while True:
        server.send(common.cMSG_CHANNEL_DATA, server.channel + 77, b"x" * 30_000)


def stderr_of_another_kind(server: Server) -> None:
    while True:
        server.send(common.cMSG_CHANNEL_EXTENDED_DATA, server.channel, 9, b"x" * 30_000)


def success_without_end(server: Server) -> None:
    while True:
        server.send(common.cMSG_CHANNEL_SUCCESS, server.channel)


def a_gigabyte(server: Server, stream: str = "sendall") -> None:
    for _piece in range(GIGABYTE >> 20):
        getattr(server.opened, stream)(b"\x1b[2J\xff\xfe\xe2\n" * (1 << 17))
    server.opened.send_exit_status(0)
    server.opened.close()


def a_gigabyte_of_errors(server: Server) -> None:
    a_gigabyte(server, "sendall_stderr")


@at("auth")
def banners(server: Server) -> None:
    while True:
        server.send(common.cMSG_USERAUTH_BANNER, b"x" * 30_000, b"ko")


@at("auth")
def extensions(server: Server) -> None:
    number = 0
    while True:
        number += 1
        server.send(b"\x07", 2, f"a{number}", b"x" * 15_000, f"b{number}", b"x" * 15_000)


def packet(kind: int, *parts: bytes) -> bytes:
    body = bytes([kind]) + b"".join(parts)
    return struct.pack(">I", len(body)) + body


VERSION = packet(2, struct.pack(">I", 3))


@at("sftp")
def a_packet_of_two_gigabytes(server: Server) -> None:
    server.opened.sendall(VERSION + struct.pack(">I", 0x7FFFFFFF) + b"e")
    while True:
        server.opened.sendall(b"x" * 30_000)


@at("sftp")
def answers_nobody_asked_for(server: Server) -> None:
    server.opened.sendall(VERSION)
    number = 0
    while True:
        number += 1
        server.opened.sendall(packet(102, struct.pack(">I", number), struct.pack(">I", 9), b"handle123"))


@at("sftp")
def a_handle_of_a_quarter_megabyte(server: Server) -> None:
    server.opened.sendall(VERSION)
    while True:
        head = server.opened.recv(30_000)
        number = head[5:9].ljust(4, b"\0")
        size = 1 << 18
        server.opened.sendall(packet(102, number, struct.pack(">I", size), b"h" * size))


@at("sftp")
def extensions_without_end(server: Server) -> None:
    pair = struct.pack(">I", 1000) + b"n" * 1000
    server.opened.sendall(struct.pack(">I", 0x0FFFFFFF) + b"\x02" + struct.pack(">I", 3))
    while True:
        server.opened.sendall(pair)


@at("sftp")
def a_status_full_of_escapes(server: Server) -> None:
    server.opened.sendall(VERSION)
    while True:
        head = server.opened.recv(30_000)
        words = ("\x1b]52;c;eA==\x07\u202e거부" * 2000).encode()
        number = head[5:9].ljust(4, b"\0")
        parts = struct.pack(">I", 4), struct.pack(">I", len(words)), words, struct.pack(">I", 0)
        server.opened.sendall(packet(101, number, *parts))


LIMITED = packet(
    2, struct.pack(">I", 3), *(struct.pack(">I", len(word)) + word for word in (b"limits@openssh.com", b"1"))
)


@at("sftp")
def limits_beyond_all_bounds(server: Server) -> None:
    """Whatever it says it takes, it gets no more at once than others."""
    server.opened.sendall(LIMITED)
    while True:
        head = server.opened.recv(30_000)
        server.opened.sendall(packet(201, head[5:9].ljust(4, b"\0"), struct.pack(">Q", (1 << 64) - 1) * 4))


@at("sftp")
def limits_cut_short(server: Server) -> None:
    server.opened.sendall(LIMITED)
    while True:
        head = server.opened.recv(30_000)
        server.opened.sendall(packet(201, head[5:9].ljust(4, b"\0"), b"\0" * 9))


RUN = [
    ignored,
    debugged,
    asked_globally,
    opened_towards_us,
    asked_on_the_channel,
    keyed_again_and_again,
    window_of_everything,
    statuses_without_end,
    data_for_nobody,
    stderr_of_another_kind,
    success_without_end,
    banners,
    extensions,
]
UPLOAD = [
    a_packet_of_two_gigabytes,
    answers_nobody_asked_for,
    a_handle_of_a_quarter_megabyte,
    extensions_without_end,
    a_status_full_of_escapes,
    limits_beyond_all_bounds,
    limits_cut_short,
]


@contextmanager
def serving(peer: Peer) -> Iterator[tuple[int, str]]:
    """A server for one client on a free port, and the line of its host key."""
    key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError, EOFError, paramiko.SSHException):
                guest, _address = listening.accept()
                transport = paramiko.Transport(guest)
                transports.append(transport)
                transport.add_server_key(key)
                transport.start_server(server=Server(transport, peer))

        transports: list[paramiko.Transport] = []
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1], f"{key.get_name()} {key.get_base64()}"
        for transport in transports:
            transport.close()
    thread.join(5)


def outcome(peer: Peer, act: str, seconds: float = DEADLINE) -> dict[str, Any]:
    with serving(peer) as (port, key):
        client = subprocess.run(
            [sys.executable, "-c", CLIENT, str(port), key, act, str(seconds)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=seconds + 30,
        )
    assert client.returncode == 0, client.stderr
    told: dict[str, Any] = json.loads(client.stdout)
    return told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("peer", "act"), [(peer, act) for act, peers in (("run", RUN), ("upload", UPLOAD)) for peer in peers]
)
def test_a_server_that_misuses_the_protocol_is_bounded_in_time_and_memory(peer: Peer, act: str) -> None:
    told = outcome(peer, act)
    print(f"{peer.__name__}: {told['code']} after {told['seconds']:.1f} s, {told['mib']:.1f} MiB")
    assert told["code"] and told["code"] != "uploaded"
    assert told["seconds"] < DEADLINE + GRACE, told
    assert told["mib"] < MEMORY_MIB, told


@pytest.mark.slow
@pytest.mark.parametrize("peer", [a_gigabyte, a_gigabyte_of_errors])
def test_a_gigabyte_on_either_stream_is_read_hashed_and_not_kept(peer: Peer) -> None:
    told = outcome(peer, "run", 120)
    print(f"{peer.__name__}: {told['code']} after {told['seconds']:.1f} s, {told['mib']:.1f} MiB")
    assert str(GIGABYTE) in told["code"].split() and told["mib"] < MEMORY_MIB, told
