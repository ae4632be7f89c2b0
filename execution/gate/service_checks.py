"""Looks at a service from the worker's side: does its port open, which status does it answer?

The other side may be anything: one deadline bounds it all, and only the status line is read.
"""

import re
import socket
import threading
import time

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
_LONGEST_STATUS_LINE = 1024
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


def http_status(address: str, port: int, path: str, *, seconds: float, cancel: threading.Event) -> str:
    """The status of `GET path` as three digits, or in a word what came instead."""
    ends = time.monotonic() + seconds
    request = f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nUser-Agent: guardia\r\nConnection: close\r\n\r\n"
    received = b""
    try:
        with socket.create_connection((address, port), timeout=min(seconds, _LONGEST_CONNECT)) as peer:
            peer.sendall(request.encode("ascii", "replace"))
            peer.settimeout(_SLICE)
            while b"\n" not in received and len(received) < _LONGEST_STATUS_LINE:
                if cancel.is_set() or time.monotonic() > ends:
                    return "timeout"
                try:
                    chunk = peer.recv(_LONGEST_STATUS_LINE)
                except TimeoutError:
                    continue
                if not chunk:
                    break
                received += chunk
    except TimeoutError:
        return "timeout"
    except OSError:
        return "no answer"
    match = _STATUS_LINE.match(received)
    return match[1].decode() if match else "no HTTP"
