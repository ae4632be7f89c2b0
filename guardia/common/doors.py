"""What stands before Django in the ASGI server, which would write any body to the disk before it looks at anything."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Any, Any, Any], Awaitable[None]]
#: Under this key the scope says which limit (bytes) a body has passed (`guardia.common.middleware.BodyLimit`).
PASSED_LIMIT = "guardia.passed_limit"
#: Of who doesn't even say that they are somebody: a gateway's largest parcel and its frame.
_STRANGERS = 17 * 1024 * 1024
#: What a form has beside its file.
_FRAME = 1024 * 1024


class _TooMuchError(Exception):
    """The body has passed its limit."""


class BoundedBody:
    """Bodies over their limit are refused (413): unread where their length is said, else when it is passed. It is the
    largest upload and its form for callers with a cookie or a token, a gateway's parcel for all others."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        says_who = b"cookie" in headers or b"authorization" in headers
        limit = left = settings.GUARDIA_ARTEFACT_LIMIT + _FRAME if says_who else _STRANGERS

        async def bounded() -> Message:
            nonlocal left
            message: Message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise _TooMuchError
            return message

        said = headers.get(b"content-length", b"")
        try:
            if said.isdigit() and (len(said) > 18 or int(said) > limit):
                raise _TooMuchError
            await self.app(scope, bounded, send)
        except _TooMuchError:  # nothing was answered: Django reads the whole body first
            kept = [
                (name, value) for name, value in scope["headers"] if not name.startswith((b"content-", b"transfer-"))
            ]
            await self.app({**scope, "headers": kept, PASSED_LIMIT: limit}, _without_body(receive), send)


def _without_body(receive: Receive) -> Receive:
    """An empty body, and then nothing but the end of the line."""
    is_first = True

    async def nothing() -> Message:
        nonlocal is_first
        if is_first:
            is_first = False
            return {"type": "http.request", "body": b"", "more_body": False}
        message: Message = await receive()
        while message["type"] != "http.disconnect":
            message = await receive()
        return message

    return nothing
