"""News from the floors below wakes the worker; the sweep finds the same work without it."""

from typing import Any

from django.dispatch import receiver

from execution.rollout.after_halt import end_taken_over
from governance.signals import task_approved, task_taken_over
from guardia.common.queue import enqueue
from tickets.signals import task_parsed


@receiver(task_parsed)
def _plan_it(task_pk: int, **_: Any) -> None:
    enqueue("execution.tasks.prepare_plan", task_pk)


@receiver(task_taken_over)
def _leave_it(task_pk: int, **_: Any) -> None:
    end_taken_over(task_pk)


@receiver(task_approved)
def _run_it(task_pk: int, **_: Any) -> None:
    enqueue("execution.tasks.start_run", task_pk)
