"""The live run's websocket, through the whole ASGI stack: origin, session, scope."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings

from accounts.models import User
from execution.live.listener import listener
from guardia.asgi import application
from tests.doors import browser
from tests.guardia.world import Neighbour, Zebra

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = b"http://localhost"


def routes() -> list[str]:
    """Every websocket route, dug out of the application as it is served."""
    layer: Any = application
    while not hasattr(layer, "application_mapping"):
        layer = layer.app
    layer = layer.application_mapping["websocket"]
    while not hasattr(layer, "routes"):
        layer = getattr(layer, "application", None) or layer.inner
    return [str(route.pattern) for route in layer.routes]


def answers(user: User | None, path: str, origin: bytes = ORIGIN) -> list[dict[str, Any]]:
    """What the server sends until it falls silent or closes."""
    headers = [(b"origin", origin), (b"host", b"localhost")]
    if user is not None:
        session = browser(user).cookies[settings.SESSION_COOKIE_NAME].value
        headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={session}".encode()))

    async def talk() -> list[dict[str, Any]]:
        path_only, _mark, query = path.partition("?")
        scope = {"type": "websocket", "path": path_only, "query_string": query.encode(), "headers": headers}
        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        serving = asyncio.create_task(application(scope, inbox.get, outbox.put))
        inbox.put_nowait({"type": "websocket.connect"})
        sent: list[dict[str, Any]] = []
        while not sent or sent[-1]["type"] == "websocket.accept":
            sent.append(await asyncio.wait_for(outbox.get(), 10))
        inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([serving], timeout=10)
        if listener._task is not None:  # it lives as long as the web process; here each talk has a loop of its own
            listener._task.cancel()
            await asyncio.wait([listener._task], timeout=10)
            listener._task = None
        return sent

    return async_to_sync(talk)()


def test_every_websocket_is_listed() -> None:
    assert routes() == ["ws/runs/<int:pk>/", ""], "the last one takes every other address, and closes"


def test_a_run_is_shown_to_its_own_people_only() -> None:
    zebra, neighbour = Zebra(), Neighbour()
    path = f"/ws/runs/{zebra.run.pk}/?after=0"
    own = answers(zebra.site_manager, path)
    assert [message["type"] for message in own] == ["websocket.accept", "websocket.send"]
    assert "zebra-host" in own[1]["text"]
    User.objects.filter(pk=zebra.owner.pk).update(is_active=False)
    for user in (None, *neighbour.people.values(), User.objects.get(pk=zebra.owner.pk)):
        sent = answers(user, path)
        assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"], user
        assert sent[-1]["code"] == 4404


def test_sockets_count_under_the_rate_of_their_user(settings: Any) -> None:
    zebra = Zebra()
    settings.GUARDIA_RATE_REQUESTS = "1/h"
    path = f"/ws/runs/{zebra.run.pk}/"
    assert answers(zebra.pm, path)[-1]["type"] == "websocket.send"
    assert answers(zebra.pm, path)[-1]["code"] == 4429
    assert answers(zebra.owner, path)[-1]["type"] == "websocket.send"
    assert [answers(None, path)[-1]["code"] for _time in range(2)] == [4404, 4429]


@pytest.mark.parametrize("after", ["", "-1", "abc", "9" * 40, "%00", "1e3", "٣"])
def test_whatever_the_page_says_it_has_seen_the_run_is_shown(after: str) -> None:
    zebra = Zebra()
    sent = answers(zebra.pm, f"/ws/runs/{zebra.run.pk}/?after={after}")
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.send"]


def test_a_run_that_is_not_there_and_a_foreign_page_are_refused() -> None:
    zebra = Zebra()
    assert answers(zebra.pm, f"/ws/runs/{10**30}/")[-1]["code"] == 4404
    sent = answers(zebra.pm, f"/ws/runs/{zebra.run.pk}/", origin=b"http://evil.example")
    assert [message["type"] for message in sent] == ["websocket.close"]
