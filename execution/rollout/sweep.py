"""Finds the work that a lost bell or a killed worker left lying. Runs at worker start and every minute."""

from django.db.models import Exists, OuterRef

from execution.models import Run
from execution.rollout.claims import runs_to_drive
from guardia.common.queue import enqueue
from tickets.choices import TaskStatus
from tickets.models import OpsTask


def sweep() -> int:
    """Ring for every task and run that should be moving and isn't; returns how many."""
    parsed = OpsTask.objects.filter(status=TaskStatus.PARSED).values_list("pk", flat=True)
    approved = (
        OpsTask.objects.filter(status=TaskStatus.APPROVED)
        .filter(~Exists(Run.objects.filter(task=OuterRef("pk"), finished_at=None)))
        .values_list("pk", flat=True)
    )
    living = runs_to_drive().values_list("pk", flat=True)
    rung = 0
    for function, pks in (("prepare_plan", parsed), ("start_run", approved), ("drive_run", living)):
        for pk in pks:
            enqueue(f"execution.tasks.{function}", pk)
            rung += 1
    return rung
