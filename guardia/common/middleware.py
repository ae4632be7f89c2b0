"""Gives each request an id, remembers from where it came, keeps answers out of caches; refuses what is too large."""

from collections.abc import Callable
from contextlib import nullcontext
from uuid import uuid4

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from guardia.common.context import remembering, traced
from guardia.common.doors import PASSED_LIMIT


class TraceMiddleware:
    """The source is the peer's address, or what a named proxy says that it is (`guardia.asgi`)."""

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


class BodyLimit:
    """After the language is known: says that too much was sent, where `BoundedBody` kept it from us."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = getattr(request, "scope", {}).get(PASSED_LIMIT)
        if limit is None:
            return self.get_response(request)
        reason = _("At most %(limit)s MiB can be sent at a time.") % {"limit": limit // (1024 * 1024)}
        if request.path.startswith("/api/"):
            return JsonResponse({"code": "too_large", "message": reason, "details": {}}, status=413)
        return HttpResponse(render_to_string("413.html", {"reason": reason}), status=413)
