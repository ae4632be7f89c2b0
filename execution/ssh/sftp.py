"""As much SFTP (version 3, draft-ietf-secsh-filexfer-02) as an upload needs, with every answer checked, and OpenSSH's
`limits@openssh.com` (its PROTOCOL file): four times the bytes per write are a quarter of the answers.

Paramiko's own client isn't used: its pipelined writes ignore the server's answers, and it believes 16 MiB packets.
"""

import struct
from collections.abc import Callable
from typing import BinaryIO

import paramiko

from execution.ssh.command import ending, request
from execution.ssh.deadline import Deadline
from execution.ssh.exceptions import CommandRefused, ConnectionLost, TransferFailed, TransferTimeout
from execution.ssh.transport import QuietTransport

_INIT, _VERSION, _OPEN, _CLOSE, _WRITE, _FSTAT, _FSETSTAT, _EXTENDED = 1, 2, 3, 4, 6, 8, 10, 200
_STATUS, _HANDLE, _ATTRS, _EXTENDED_REPLY = 101, 102, 105, 201
_WRITE_CREATE_TRUNCATE = 0x02 | 0x08 | 0x10
_HAS_SIZE, _HAS_MODE = 0x01, 0x04
_LIMITS = b"limits@openssh.com"
_PIECE = 32_000  # bytes per write that every server takes; with its header it fits one SSH packet
_LARGEST_PIECE = 128 << 10  # at most, whatever a server says of itself: more cost it more than they save
_WRITE_HEAD = 1 << 10  # bytes of a packet that aren't the write's data, generously
_AHEAD = 1 << 18  # bytes under way at first: a server's buffers grow with them, which costs it more than the writing
_MOST_AHEAD = 1 << 21  # bytes under way of a large file, as in OpenSSH's client
_PACKET = 1 << 15  # bytes handed to the channel at once, OpenSSH's largest
_MAX_ANSWER = 1 << 16


class Session:
    """Requests and answers on one channel; every wait looks at the deadline."""

    def __init__(self, transport: QuietTransport, channel: paramiko.Channel, deadline: Deadline) -> None:
        self._transport, self._channel, self._deadline = transport, channel, deadline
        self._last = 0
        channel.settimeout(0.0)
        request(transport, channel, "subsystem", b"sftp")
        self._send(_INIT, struct.pack(">I", 3))
        kind, told = self._read()
        if kind != _VERSION:
            raise TransferFailed(reason="no SFTP")
        self.piece = self._largest_write() if _LIMITS in _strings(told[4:])[::2] else _PIECE
        """Bytes per write."""

    def _largest_write(self) -> int:
        """As the server tells; a zero says that it doesn't."""
        limits = self.call(_EXTENDED, _string(_LIMITS), _EXTENDED_REPLY)
        if len(limits) < 24:
            raise TransferFailed(reason="malformed SFTP answer")
        packet, write = (int.from_bytes(limits[at : at + 8], "big") for at in (0, 16))
        return max(_PIECE, min(write, packet - _WRITE_HEAD, _LARGEST_PIECE))

    def ask(self, kind: int, body: bytes) -> int:
        """Send a request; gives its number."""
        self._last += 1
        self._send(kind, struct.pack(">I", self._last) + body)
        return self._last

    def answer(self) -> tuple[int, int, bytes]:
        """The next answer: request number, kind, body. Raises TransferFailed for a status that isn't OK."""
        kind, body = self._read()
        if len(body) < 8:
            raise TransferFailed(reason="malformed SFTP answer")
        number, code = struct.unpack(">II", body[:8])
        if kind == _STATUS and code != 0:
            raise TransferFailed(reason=_status_text(body), status=code)
        return number, kind, body[4:]

    def call(self, kind: int, body: bytes, expected: int) -> bytes:
        """Ask, and wait for the one answer; gives its body."""
        number = self.ask(kind, body)
        answered, got, rest = self.answer()
        if (answered, got) != (number, expected):
            raise TransferFailed(reason="unexpected SFTP answer")
        return rest

    def _send(self, kind: int, body: bytes) -> None:
        data = memoryview(struct.pack(">IB", len(body) + 1, kind) + body)
        while data:
            self._transport.wake.clear()
            try:
                data = data[self._channel.send(bytes(data[:_PACKET])) :]
            except TimeoutError:  # no room in the server's window
                self._wait()
            except OSError as error:  # the channel ended meanwhile
                self._check()
                raise ConnectionLost from error
            self._check()

    def _read(self) -> tuple[int, bytes]:
        (length,) = struct.unpack(">I", self._exactly(4))
        if not 1 <= length <= _MAX_ANSWER:
            raise TransferFailed(reason="malformed SFTP answer")
        data = self._exactly(length)
        return data[0], data[1:]

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._transport.wake.clear()
            if self._channel.recv_stderr_ready():
                self._channel.recv_stderr(_MAX_ANSWER)  # of no interest, but it fills the window
            if self._channel.recv_ready():
                data += self._channel.recv(size - len(data))
            else:
                self._check()
                self._wait()
        return data

    def answered(self) -> bool:
        """An answer, or the beginning of one, is there to be read."""
        return self._channel.recv_ready()

    def _wait(self) -> None:
        self._transport.wake.wait(self._deadline.slice())

    def _check(self) -> None:
        self._deadline.check(TransferTimeout)
        if self._channel.recv_ready():
            return
        failure = ending(self._transport, self._channel)
        if failure is ConnectionLost:
            raise ConnectionLost
        if failure is not None or self._channel.eof_received:
            raise TransferFailed(reason="SFTP refused" if failure is CommandRefused else "SFTP ended")


def upload(
    session: Session, source: BinaryIO, path: str, size: int, mode: int, progress: Callable[[int], None] | None
) -> None:
    """Write the file and verify its size on the host; see `Connection.upload`."""
    name, attributes = path.encode(), struct.pack(">II", _HAS_MODE, mode)
    flags = struct.pack(">I", _WRITE_CREATE_TRUNCATE)
    handle = session.call(_OPEN, _string(name) + flags + attributes, _HANDLE)
    mode_set = session.ask(_FSETSTAT, handle + attributes)  # the umask or an older file may have said otherwise
    sent = _write_all(session, handle, source, size, {mode_set: 0}, progress)
    if sent != size:
        raise TransferFailed(reason="source has another size", expected=size, found=sent)
    attributes = session.call(_FSTAT, handle, _ATTRS)
    session.call(_CLOSE, handle, _STATUS)
    if len(attributes) < 12 or not struct.unpack(">I", attributes[:4])[0] & _HAS_SIZE:
        raise TransferFailed(reason="the host does not tell the size")
    (found,) = struct.unpack(">Q", attributes[4:12])
    if found != size:
        raise TransferFailed(reason="remote file has another size", expected=size, found=found)


def _write_all(
    session: Session,
    handle: bytes,
    source: BinaryIO,
    size: int,
    under_way: dict[int, int],
    progress: Callable[[int], None] | None,
) -> int:
    """Writes ahead of the answers; gives the bytes read from the source, at most one more than `size`.

    `under_way`: bytes by the number of the request that brings them, as yet without an answer.
    """
    offset = acknowledged = 0
    while True:
        piece = source.read(min(session.piece, size + 1 - offset))
        if piece and offset + len(piece) <= size:
            body = handle + struct.pack(">Q", offset) + _string(piece)
            under_way[session.ask(_WRITE, body)] = len(piece)
        offset += len(piece)
        finished = not piece or offset > size
        ahead = min(max(_AHEAD, acknowledged // 16), _MOST_AHEAD)
        while under_way and (finished or offset - acknowledged >= ahead or session.answered()):
            number, kind, _body = session.answer()
            if kind != _STATUS or number not in under_way:
                raise TransferFailed(reason="unexpected SFTP answer")
            acknowledged += under_way.pop(number)
            if progress is not None:
                progress(acknowledged)
        if finished:
            return offset


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _strings(data: bytes) -> list[bytes]:
    """The whole strings at the beginning of `data`."""
    found = []
    while len(data) >= 4 and len(data) - 4 >= (length := int.from_bytes(data[:4], "big")):
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return found


def _status_text(body: bytes) -> str:
    """The server's words, short and printable: they are hostile data."""
    text = body[12 : 12 + int.from_bytes(body[8:12], "big")][:200].decode("utf-8", errors="replace")
    return "".join(sign if sign.isprintable() else "�" for sign in text)
