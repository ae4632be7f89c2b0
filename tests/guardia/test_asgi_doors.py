"""What stands before Django, on the portal's own server: whose headers are believed, and how much is read."""

import asyncio
import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from accounts.models import RateBucket
from guardia.asgi import application
from guardia.common.doors import PASSED_LIMIT, BoundedBody

pytestmark = pytest.mark.django_db(transaction=True)
PROXY = "127.0.0.1"


@pytest.fixture(autouse=True)
def no_kept_connections(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    """The server's threads keep no connection that would hold the test database open."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


seen: list[tuple[str, bool]] = []


async def noting(scope: Any, receive: Any, send: Any) -> None:
    """Notes the caller, and whether the request came by TLS, as Django sees them."""
    request = ASGIRequest(scope, io.BytesIO())
    seen.append((request.META["REMOTE_ADDR"], request.is_secure()))
    await application.app(scope, receive, send)


@contextmanager
def served(trusted: list[str]) -> Iterator[int]:
    """The portal with these trusted proxies, on a free port of loopback."""
    app = ProxyHeadersMiddleware(noting, trusted_hosts=trusted)
    seen.clear()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(app, lifespan="off", log_level="error", proxy_headers=False)
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        deadline = time.monotonic() + 20
        while not running.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield listening.getsockname()[1]
        finally:
            running.should_exit = True
            thread.join(timeout=20)


def ask(
    port: int, path: str, headers: dict[str, str], *, source: str = PROXY, method: str = "GET", body: Any = None
) -> tuple[int, str, dict[str, str]]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
    line.request(method, path, body, {"Host": "localhost", **headers})
    answer = line.getresponse()
    found = (
        answer.status,
        answer.read().decode("utf-8", "replace"),
        {key.lower(): value for key, value in answer.headers.items()},
    )
    line.close()
    return found


def callers() -> set[str]:
    return {bucket.key.partition(":address:")[2] for bucket in RateBucket.objects.filter(key__contains=":address:")}


FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9;proto=https;host=evil.example",
}


@pytest.mark.parametrize(
    ("trusted", "source", "caller", "is_secure"),
    [
        ([], "127.0.0.1", "127.0.0.1", False),
        (["127.0.0.1"], "127.0.0.1", "203.0.113.9", True),
        (["127.0.0.1"], "127.0.0.2", "127.0.0.2", False),
        (["127.0.0.0/30"], "127.0.0.3", "203.0.113.9", True),
        (["127.0.0.0/30"], "127.0.0.5", "127.0.0.5", False),
    ],
)
def test_forwarded_headers_are_the_named_proxies_alone(
    trusted: list[str], source: str, caller: str, is_secure: bool
) -> None:
    with served(trusted) as port:
        status, _text, headers = ask(port, "/tasks/", FORGED, source=source)
    assert status == 302 and headers["location"] == "/login/?next=/tasks/"
    assert seen == [(caller, is_secure)] and callers() == {caller}


def test_a_client_cannot_put_a_proxy_before_itself() -> None:
    with served([PROXY]) as port:
        ask(port, "/login/", {"X-Forwarded-For": "10.0.0.1, 127.0.0.1, 203.0.113.9"})
    assert callers() == {"203.0.113.9"}, "the last address that is no proxy's is the caller"


def test_another_host_is_refused_whatever_is_forwarded() -> None:
    with served([PROXY]) as port:
        status, text, _headers = ask(port, "/login/", {"Host": "evil.example", "X-Forwarded-Host": "localhost"})
        assert status == 400 and "evil.example" not in text
        for host in ("localhost:8000@evil.example", "localhost.evil.example", "evil.example#localhost"):
            assert ask(port, "/login/", {"Host": host})[0] == 400, host


@pytest.fixture
def small(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.GUARDIA_ARTEFACT_LIMIT = 1024 * 1024
    monkeypatch.setattr("guardia.common.doors._STRANGERS", 1024 * 1024)


def test_a_body_over_the_limit_is_refused_before_it_is_read(small: None) -> None:
    for language, words in (("ko", "너무 큽니다"), ("en", "Too much was sent")):
        with served([]) as port:
            status, text, headers = ask(
                port, "/login/", {"Content-Length": str(10**12), "Accept-Language": language}, method="POST"
            )
        assert status == 413 and words in text and "1 MiB" in text
        assert "content-security-policy" in headers
    with served([]) as port:
        status, text, _headers = ask(port, "/api/v1/token/", {"Content-Length": str(10**12)}, method="POST")
    assert status == 413 and '"too_large"' in text


def test_a_body_without_a_length_is_cut_off_where_the_limit_is(small: None) -> None:
    read, sent = 0, []

    async def endless() -> dict[str, Any]:
        nonlocal read
        await asyncio.sleep(0)
        if not sent:
            read += 65536
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def looked_at(scope: Any, receive: Any, send: Any) -> None:
        """Django, which is told to stop at the limit, and then given nothing."""
        nonlocal read
        if PASSED_LIMIT in scope:
            assert read <= 1024 * 1024 + 65536
        await application.app.app(scope, receive, send)

    scope = {"type": "http", "method": "POST", "path": "/login/", "headers": [(b"host", b"localhost")]}
    asyncio.run(BoundedBody(looked_at)(scope, endless, send))
    assert sent[0]["status"] == 413


def test_who_says_who_they_are_may_send_a_file_and_no_more(small: None) -> None:
    body = b"x" * (1024 * 1024 + 1000)
    with served([]) as port:
        assert ask(port, "/login/", {}, method="POST", body=body)[0] == 413
        assert ask(port, "/login/", {"Cookie": "csrftoken=x"}, method="POST", body=body)[0] in (400, 403)
        assert ask(port, "/login/", {"Cookie": "csrftoken=x"}, method="POST", body=body * 3)[0] == 413
