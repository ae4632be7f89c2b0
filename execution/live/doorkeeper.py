"""Open pages end with the session they came by: one look for all of a web process's sockets, every three seconds.

A look, not a bell: whatever ended the session (an administrator, the user elsewhere, a limit, a changed row), and
whichever process did it, its sockets are closed within five seconds.
"""

import asyncio
import logging
from typing import Protocol

from channels.db import database_sync_to_async
from django.db import DatabaseError

from accounts.services.sessions import living_sessions

logger = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 3.0
SESSION_ENDED = 4401


class Guest(Protocol):
    """A socket that was let in by a session."""

    session_pk: int | None

    async def close(self, code: int) -> None: ...


class Doorkeeper:
    """Works while there is a guest, in the event loop of the first one."""

    def __init__(self) -> None:
        self._guests: set[Guest] = set()
        self._task: asyncio.Task[None] | None = None

    def admit(self, guest: Guest) -> None:
        self._guests.add(guest)
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._walk())

    def release(self, guest: Guest) -> None:
        self._guests.discard(guest)

    async def _walk(self) -> None:
        while self._guests:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                await self._look()
            except DatabaseError as error:
                logger.warning("sessions of open pages: the database is away (%s)", type(error).__name__)

    async def _look(self) -> None:
        guests = list(self._guests)
        living = await _living({guest.session_pk for guest in guests if guest.session_pk is not None})
        for guest in guests:
            if guest.session_pk not in living:
                self.release(guest)
                await guest.close(code=SESSION_ENDED)


@database_sync_to_async
def _living(pks: set[int]) -> set[int]:
    return set(living_sessions().filter(pk__in=pks).values_list("pk", flat=True))


doorkeeper = Doorkeeper()
