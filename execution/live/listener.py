"""One LISTEN per web process: PostgreSQL rings, the local channel layer passes it on to the pages of that run.

The ring carries a run's id and nothing else; pages read the events themselves, by number. So a lost connection loses
nothing: after reconnecting every open page is rung once.
"""

import asyncio
import logging
from collections import Counter

import psycopg
from channels.layers import get_channel_layer
from django.db import connection

from execution.live.events import CHANNEL

logger = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
#: Bells that come this close together are one: two hundred hosts at work ring hundreds of times a second.
_GATHER_SECONDS = 0.03


def group_of(run_pk: int) -> str:
    return f"run.{run_pk}"


class Listener:
    """Started by the first page that watches a run, in that page's event loop."""

    def __init__(self) -> None:
        self.watched: Counter[int] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._due: set[int] = set()
        self._rings: set[asyncio.Task[None]] = set()

    def watch(self, run_pk: int) -> None:
        self.watched[run_pk] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._listen())

    def unwatch(self, run_pk: int) -> None:
        self.watched[run_pk] -= 1
        if self.watched[run_pk] <= 0:
            del self.watched[run_pk]

    def _ring_soon(self, run_pk: int) -> None:
        if run_pk in self._due:
            return
        self._due.add(run_pk)
        ring = asyncio.get_running_loop().create_task(_ring_later(self._due, run_pk))
        self._rings.add(ring)  # a task that nobody holds may be collected
        ring.add_done_callback(self._rings.discard)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                logger.warning("live events: the database is away (%s); trying again", type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_once(self) -> None:
        params = {
            key: value
            for key, value in connection.get_connection_params().items()
            if key in ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "options")
        }
        async with await psycopg.AsyncConnection.connect(**params, autocommit=True) as listening:
            await listening.execute(f"LISTEN {CHANNEL}")
            for run_pk in list(self.watched):
                await _ring(run_pk)
            async for notice in listening.notifies():
                if notice.payload.isdigit() and int(notice.payload) in self.watched:
                    self._ring_soon(int(notice.payload))


async def _ring_later(due: set[int], run_pk: int) -> None:
    await asyncio.sleep(_GATHER_SECONDS)
    due.discard(run_pk)
    await _ring(run_pk)


async def _ring(run_pk: int) -> None:
    await get_channel_layer().group_send(group_of(run_pk), {"type": "run.changed"})  # type: ignore[union-attr]  # configured in the settings


listener = Listener()
