"""The websocket of a live run: what came after the page's last number, then everything as it happens."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from accounts.exceptions import RateExceeded
from accounts.middleware import SESSION_KEY
from accounts.rates import stranger, take
from accounts.services.sessions import living_sessions
from execution.live.doorkeeper import doorkeeper
from execution.live.events import event_to_dict
from execution.live.listener import group_of, listener
from execution.selectors import events_after, runs_visible_to

_NOT_VISIBLE = 4404
_TOO_MANY = 4429
_BATCH = 500


class RunConsumer(AsyncJsonWebsocketConsumer):
    """`/ws/runs/<pk>/?after=<number>` sends `{"events": [...]}`; it takes nothing from the page."""

    async def connect(self) -> None:
        self.run_pk = int(self.scope["url_route"]["kwargs"]["pk"])
        self.sending = asyncio.Lock()
        self.is_watching = False
        self.session_pk: int | None = self.scope["session"].get(SESSION_KEY)
        await self.accept()
        if not await self._has_room():
            await self.close(code=_TOO_MANY)
            return
        if not await self._is_visible():
            await self.close(code=_NOT_VISIBLE)
            return
        after = parse_qs(self.scope["query_string"].decode("ascii", "replace")).get("after", ["0"])[0]
        self.last = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
        doorkeeper.admit(self)
        await self.channel_layer.group_add(group_of(self.run_pk), self.channel_name)
        listener.watch(self.run_pk)
        self.is_watching = True
        await self.run_changed({})

    async def disconnect(self, code: int) -> None:
        doorkeeper.release(self)
        if self.is_watching:
            listener.unwatch(self.run_pk)
            await self.channel_layer.group_discard(group_of(self.run_pk), self.channel_name)

    async def receive(self, *args: Any, **kwargs: Any) -> None:
        """Whatever a page sends is ignored."""

    async def run_changed(self, message: dict[str, Any]) -> None:
        """The bell: send what is new, in order, once. A user who may no longer see the run is sent away."""
        async with self.sending:
            while events := await self._new_events():
                if not await self._is_visible():
                    await self.close(code=_NOT_VISIBLE)
                    return
                self.last = events[-1]["number"]
                await self.send_json({"events": events})
                if len(events) < _BATCH:
                    return

    @database_sync_to_async
    def _has_room(self) -> bool:
        user, peer = self.scope["user"], self.scope.get("client") or [""]
        try:
            take("REQUESTS", user if user.is_authenticated else stranger(peer[0]))
        except RateExceeded:
            return False
        return True

    @database_sync_to_async
    def _new_events(self) -> list[dict[str, Any]]:
        return [event_to_dict(event) for event in events_after(self.run_pk, self.last, _BATCH)]

    @database_sync_to_async
    def _is_visible(self) -> bool:
        user = self.scope["user"]
        if not user.is_authenticated or not living_sessions().filter(pk=self.session_pk or 0, user=user).exists():
            return False
        return runs_visible_to(user).filter(pk=self.run_pk).exists()


class NowhereConsumer(AsyncJsonWebsocketConsumer):
    """Any other address: closed at once."""

    async def connect(self) -> None:
        await self.close(code=_NOT_VISIBLE)
