"""Real races: each thread has a database connection of its own, and all start at once."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, transaction

T = TypeVar("T")
_SECONDS = 60


def race(
    acts: Sequence[Callable[[], T]], errors: type[Exception] | tuple[type[Exception], ...] = ()
) -> list[T | Exception]:
    """What each act returned, or which of the expected `errors` it raised; in the order given."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | Exception:
        try:
            barrier.wait(_SECONDS)
            return act()
        except errors as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as threads:
        return [future.result(_SECONDS) for future in [threads.submit(run, act) for act in acts]]


def queue_up(
    acts: Sequence[Callable[[], T]],
    lock: Callable[[], object],
    errors: type[Exception] | tuple[type[Exception], ...] = (),
) -> list[T | Exception]:
    """A race that can't be missed: `lock` takes the row that all acts need, in a transaction of ours, and lets it go
    only when PostgreSQL says that every act waits for it. Outcomes as in `race`."""
    with ThreadPoolExecutor(1) as starter:
        with transaction.atomic():
            lock()
            racing = starter.submit(race, acts, errors)
            _until_blocked(len(acts))
        return racing.result(_SECONDS)


def _until_blocked(count: int) -> None:
    ends = time.monotonic() + _SECONDS
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # what it says is kept for the transaction otherwise
            cursor.execute(sql)
            if cursor.fetchone()[0] >= count:
                return
        assert time.monotonic() < ends, "the acts don't wait for one another"
        time.sleep(0.002)
