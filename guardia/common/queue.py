"""The bell: wake a worker after the transaction is committed. The row is the truth; the queue carries ids only."""

from django.db import transaction
from django_q.tasks import async_task


def enqueue(function: str, *ids: int | str) -> None:
    """Ask a worker to call `function` ("execution.tasks.drive_run") with `ids`, after commit.

    Only `<app>.tasks.<name>` of our own apps can be asked for (the broker refuses the rest), and only with ids:
    whoever can forge a queue row must not be able to invent work.
    """
    for value in ids:
        if not isinstance(value, int | str):
            raise TypeError(f"the queue carries ids, not {type(value).__name__}")
    transaction.on_commit(lambda: async_task(function, *ids))
