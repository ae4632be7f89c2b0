"""The one place where runs are locked. Order everywhere: task → run → host runs (by key) → event head → chain.

Without the key, as in `tickets.locks`: events and step results refer to runs and host runs.
"""

from execution.models import Run
from tickets.locks import lock_task


def lock_run(pk: int) -> Run:
    """The run's row, with its task's, locked until the transaction ends, freshly read."""
    task = lock_task(Run.objects.values_list("task_id", flat=True).get(pk=pk))
    run = (
        Run.objects.select_for_update(of=("self",), no_key=True)
        .select_related("plan")
        .defer("plan__document")
        .get(pk=pk)
    )
    run.task = task
    return run
