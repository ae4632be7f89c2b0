"""Looks at a service from the worker's side: does its port open, which status does it answer?

The other side may be anything: one deadline bounds it all, and the first part of an answer is all that is read.
"""

import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from execution.steps.ops import HttpGet, Tls

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
_LONGEST_ANSWER = 256 * 1024
_LONGEST_CONNECT = 3.0  # seconds: as long as nobody can interrupt it
_SLICE = 0.5


def tcp_opens(address: str, port: int, *, seconds: float, cancel: threading.Event) -> str:
    """Try until the port takes a connection or time is up; says the problem, or nothing."""
    ends = time.monotonic() + seconds
    while True:
        try:
            left = max(0.1, ends - time.monotonic())
            with socket.create_connection((address, port), timeout=min(left, _LONGEST_CONNECT)):
                return ""
        except OSError:
            if time.monotonic() + 0.3 > ends or cancel.wait(0.3):
                return f"port {port} takes no connection"


@dataclass(frozen=True, slots=True)
class Answer:
    """The status as three digits, or in a word what came instead; the body's first part, as text."""

    status: str
    milliseconds: int
    body: str = ""


def http_answer(address: str, port: int, path: str, *, seconds: float, whole: bool, cancel: threading.Event) -> Answer:
    """What `GET path` gives: the status line, or the `whole` until its end, 256 KiB, or the end of the time."""
    began = time.monotonic()
    request = f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nUser-Agent: guardia\r\nConnection: close\r\n\r\n"
    received, problem = b"", ""
    try:
        with socket.create_connection((address, port), timeout=min(seconds, _LONGEST_CONNECT)) as peer:
            peer.sendall(request.encode("ascii", "replace"))
            for chunk in _chunks(peer, began + seconds, cancel):
                received += chunk
                if not whole and b"\n" in received:
                    break
    except TimeoutError:
        problem = "timeout"
    except OSError:
        problem = "no answer"
    match = _STATUS_LINE.match(received)
    body = received.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")
    milliseconds = int((time.monotonic() - began) * 1000)
    return Answer(match[1].decode() if match else problem or "no HTTP", milliseconds, body)


def problem_with_answer(op: HttpGet, answer: Answer) -> str:
    """Why the answer isn't what the operation wants; empty when it is."""
    if answer.status != str(op["status"]):
        return f"HTTP {answer.status} instead of {op['status']}"
    if "within_ms" in op and answer.milliseconds > op["within_ms"]:
        return f"the answer took {answer.milliseconds} ms, more than {op['within_ms']}"
    if op.get("contains", "") not in answer.body:
        return f"the answer lacks “{op['contains']}”"
    return ""


def tls_shows(address: str, op: Tls, *, cancel: threading.Event) -> str:
    """Try until a handshake shows the expected certificate; says the problem, or nothing.

    Not verified against any authority: the digest says which certificate it must be, and old servers can do no better.
    """
    ends = time.monotonic() + op["seconds"]
    while True:
        problem = _shown_certificate(address, op, ends)
        if not problem or time.monotonic() + 0.5 > ends or cancel.wait(0.5):
            return problem


def _shown_certificate(address: str, op: Tls, ends: float) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    try:
        with (
            socket.create_connection(
                (address, op["port"]), timeout=max(0.1, min(_LONGEST_CONNECT, ends - time.monotonic()))
            ) as peer,
            context.wrap_socket(peer, server_hostname=op["name"]) as secure,
        ):
            shown = hashlib.sha256(secure.getpeercert(binary_form=True) or b"").hexdigest()
    except (OSError, ValueError):
        return f"no TLS handshake on port {op['port']}"
    return "" if shown == op["sha256"] else "another certificate is shown"


def _chunks(peer: socket.socket, ends: float, cancel: threading.Event) -> Iterator[bytes]:
    size = 0
    peer.settimeout(_SLICE)
    while size < _LONGEST_ANSWER:
        if cancel.is_set() or time.monotonic() > ends:
            raise TimeoutError
        try:
            chunk = peer.recv(16_384)
        except TimeoutError:
            continue
        if not chunk:
            return
        size += len(chunk)
        yield chunk
