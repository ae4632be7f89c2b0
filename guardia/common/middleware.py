"""Gives each request an id, remembers from where it came, and keeps answers out of caches."""

from collections.abc import Callable
from contextlib import nullcontext
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from guardia.common.context import remembering, traced


class TraceMiddleware:
    """The source is the peer's address; forwarded headers are believed only where the ASGI server was told to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid4().hex
        path = request.path
        channel = "api" if path.startswith("/api/") else "admin" if path.startswith("/admin/") else "portal"
        # Only looking: nothing that is read here changes on the way. Acts read anew, every time.
        memory = remembering() if request.method in ("GET", "HEAD") else nullcontext()
        with (
            memory,
            traced(request_id=request_id, source_ip=request.META.get("REMOTE_ADDR", "") or "", channel=channel),
        ):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        # Pages are about people and servers: no cache keeps them, and the back button after a log-out shows nothing.
        response.setdefault("Cache-Control", "no-store")
        return response
