"""Each process that drives a run watches the kill switch itself, in a thread with a connection of its own: PostgreSQL
rings it, and it looks every second besides. Neither the queue nor another process has a part in it.
"""

import logging
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.models.functions import Now

from execution.choices import Phase
from execution.gate.brake import GRACE_SECONDS, Brake
from execution.gate.halts import CHANNEL, halts_on
from execution.models import Run

logger = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
Brakes = dict[Phase, Brake]


@contextmanager
def watched(run: Run) -> Iterator[Brakes]:
    """The brakes of a run, pulled as long as the block lasts. The first look is over when the block begins."""
    brakes: Brakes = {phase: Brake() for phase in Phase}
    look(run, brakes)
    bell, ringer = os.pipe()
    thread = threading.Thread(target=_watch, args=(run, brakes, bell), name="halt-watch", daemon=True)
    thread.start()
    try:
        yield brakes
    finally:
        os.write(ringer, b"x")
        thread.join(timeout=5)
        os.close(ringer)


def look(run: Run, brakes: Brakes) -> None:
    """Ask the database once; the grace counts from the press, not from when we heard of it."""
    for phase, brake in brakes.items():
        halt = halts_on(run, phase).annotate(age=Now() - timedelta(seconds=GRACE_SECONDS)).first()
        if halt is not None:
            if not brake.pulled.is_set():
                logger.warning("kill switch: no new step (%s), pressed by %s", phase, halt.halted_as)
            brake.pulled.set()
            if halt.halted_at <= halt.age and not brake.cut.is_set():  # type: ignore[attr-defined]  # annotated
                logger.warning("kill switch: closing what still runs (%s)", phase)
                brake.cut.set()
        brake.seen()


def _watch(run: Run, brakes: Brakes, bell: int) -> None:
    try:
        while not _is_over(bell, 0):
            try:
                _listen(run, brakes, bell)
            except (DatabaseError, OSError, ValueError) as error:
                logger.warning("kill switch: the database is away (%s)", type(error).__name__)
                connection.close()
                if _is_over(bell, _LOOK_SECONDS / 2):
                    return
    finally:
        connection.close()
        os.close(bell)


def _listen(run: Run, brakes: Brakes, bell: int) -> None:
    """Look, sleep until something rings or a second has passed, look again; returns when the block is over."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    connection.connection.add_notify_handler(lambda _notice: None)  # the look tells; notices must not pile up
    while True:
        look(run, brakes)
        is_pulled = any(brake.pulled.is_set() and not brake.cut.is_set() for brake in brakes.values())
        ready, _, _ = select.select(
            [bell, connection.connection.fileno()], [], [], _LOOK_SECONDS / 4 if is_pulled else _LOOK_SECONDS
        )
        if bell in ready:
            return


def _is_over(bell: int, seconds: float) -> bool:
    return bool(select.select([bell], [], [], seconds)[0])
