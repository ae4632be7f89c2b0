"""Paramiko's transport, tuned and hardened through the hooks it leaves for subclasses.

Tuned: fast algorithms first, no timer thread per handshake, no logging, buffered reads (in `wire`).
Hardened: packets, banner lines and unread channel data are bounded, whatever the server claims.
"""

import logging
import threading
from typing import Any

import paramiko
from paramiko.common import (
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_EXTENDED_DATA,
    MSG_CHANNEL_FAILURE,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_WINDOW_ADJUST,
)
from paramiko.packet import NeedRekeyException, Packetizer

from execution.ssh.deadline import SLICE
from execution.ssh.legacy import KEX_INFO, RSAKeyWithSHA1, allowed
from execution.ssh.wire import Line

WINDOW = 1 << 21
"""Bytes a server may send on a channel before we have read some: the bound of unread data per host."""
MAX_PACKET = 1 << 18
"""Bytes of a packet, as in OpenSSH; paramiko would believe a length of 4 GiB."""
MAX_LINE = 8192
"""Bytes of a line before the SSH banner."""

_HANDLERS: dict[int, Any] = paramiko.Transport._channel_handler_table  # type: ignore[attr-defined]  # not in the stubs

_quiet = logging.getLogger("paramiko")
_quiet.setLevel(logging.CRITICAL)  # our errors say what happened; paramiko would log what servers send
_quiet.propagate = False


class BoundedPacketizer(Packetizer):
    """Reads that can't be made to grow, and no timer thread."""

    def __init__(self, wire: Line) -> None:
        super().__init__(wire)  # type: ignore[arg-type]  # a socket-like object, as its documentation allows
        self._wire = wire

    def start_handshake(self, timeout: float) -> None:
        """Nothing: the deadline bounds the handshake."""

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        if n > MAX_PACKET:
            raise paramiko.SSHException("packet too long")
        data = b""
        while len(data) < n:
            try:
                more = self._wire.recv(n - len(data))
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
                if check_rekey and not data and self.need_rekey():
                    raise NeedRekeyException from None
                continue
            if not more:
                raise EOFError
            data = data + more if data else more
        return data

    def readline(self, timeout: float) -> str:
        line = bytearray()
        while not line.endswith(b"\n"):
            if len(line) > MAX_LINE:
                raise paramiko.SSHException("banner line too long")
            line += self.read_all(1)
        return line.rstrip(b"\r\n").decode("utf-8", errors="replace")


def _watched(kind: int) -> Any:
    """Paramiko's handler of a channel message, then the bound on unread data and the wake-up of who waits."""
    handler = _HANDLERS[kind]

    def handle(channel: Any, message: paramiko.Message) -> None:
        if kind in (MSG_CHANNEL_CLOSE, MSG_CHANNEL_FAILURE):  # noted first: the handler shows the end to the caller
            channel.transport.endings.setdefault(channel.chanid, kind)
        handler(channel, message)
        unread = len(channel.in_buffer) + len(channel.in_stderr_buffer)
        if unread > WINDOW:
            raise paramiko.SSHException("the server ignores the channel window")
        channel.transport.wake.set()

    return handle


class QuietTransport(paramiko.Transport):
    """A client connection. `wake` is set whenever something happened on the channel or the line broke."""

    _preferred_kex: tuple[str, ...] = (
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group14-sha256",
    )
    _preferred_ciphers: tuple[str, ...] = (
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
    )
    _preferred_macs: tuple[str, ...] = (
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",  # the oldest servers we meet have nothing else beside MD5
    )
    _kex_info = {**paramiko.Transport._kex_info, **KEX_INFO}  # type: ignore[attr-defined]  # not in the stubs
    _key_info = {**paramiko.Transport._key_info, "ssh-rsa": RSAKeyWithSHA1}  # type: ignore[attr-defined]  # not in the stubs
    _channel_handler_table = _HANDLERS | {
        kind: _watched(kind)
        for kind in (
            MSG_CHANNEL_CLOSE,
            MSG_CHANNEL_DATA,
            MSG_CHANNEL_EOF,
            MSG_CHANNEL_EXTENDED_DATA,
            MSG_CHANNEL_FAILURE,
            MSG_CHANNEL_REQUEST,
            MSG_CHANNEL_WINDOW_ADJUST,
        )
    }

    def __init__(self, wire: Line, key_types: tuple[str, ...], legacy: tuple[str, ...] = ()) -> None:
        """`legacy` names the old algorithms that this host may use (`execution.ssh.legacy`)."""
        self._preferred_keys = key_types + allowed("key", legacy)
        self._preferred_kex += allowed("kex", legacy)
        self._preferred_ciphers += allowed("cipher", legacy)
        self._preferred_macs += allowed("mac", legacy)
        self._preferred_pubkeys = allowed("key", legacy) + paramiko.Transport._preferred_pubkeys  # type: ignore[attr-defined]  # not in the stubs
        self.wake = threading.Event()
        self.wire = wire
        self.endings: dict[int, int] = {}
        """How the server ended a channel, by its id: the message that did it. Absent: the line broke."""
        self.dismissed = False
        """The server said goodbye in the protocol's words, unlike a line that just broke."""
        super().__init__(wire, default_window_size=WINDOW, packetizer_class=BoundedPacketizer)  # type: ignore[arg-type]  # not in the stubs
        self.banner_timeout = self.handshake_timeout = self.channel_timeout = 1 << 20  # the deadline bounds them
        self.auth_timeout = 1 << 20

    @property
    def server_key(self) -> paramiko.PKey:
        """The key the server has proven to hold in the key exchange."""
        assert self.host_key is not None, "asked before the key exchange"
        return self.host_key

    def run(self) -> None:
        try:
            super().run()
        finally:
            self.wake.set()

    def _log(self, level: int, msg: object, *args: object) -> None:
        """Nothing is logged per packet: it costs time and shows what servers send."""

    def _parse_disconnect(self, _message: paramiko.Message) -> None:
        self.dismissed = True

    def _send_user_message(self, data: paramiko.Message) -> None:
        """Send when no key exchange is under way. Paramiko's version waits 30 s, even in the thread it waits for."""
        while self.is_active():
            with self.clear_to_send_lock:
                if self.clear_to_send.is_set():
                    self._send_message(data)  # type: ignore[attr-defined]  # not in the stubs
                    return
            if self is threading.current_thread():
                return  # an answer to a channel's end in the middle of a key exchange; the server can do without
            self.wire.check()
            self.clear_to_send.wait(SLICE)

    def shut(self) -> None:
        """End the connection and its thread, and give the socket back."""
        self.close()
        self.wire.close()
        if self.ident is not None:
            self.join()
        self.wire.release()
