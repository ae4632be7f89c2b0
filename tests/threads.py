"""Real races: each thread has a database connection of its own, and all start at once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection

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
