"""Finds the work that a lost bell or a killed worker left lying. Runs at worker start and every minute."""

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from execution.choices import ScanStatus
from execution.halts.press import record_presses
from execution.models import DryRun, HostKeyScan, Run
from execution.rollout.after_halt import end_taken_over
from execution.rollout.claims import runs_to_drive
from execution.rollout.heal import checks_to_answer
from guardia.common.queue import enqueue
from tickets.choices import TaskStatus
from tickets.models import OpsTask


def sweep() -> int:
    """Ring for every task and run that should be moving and isn't; returns how many."""
    parsed = OpsTask.objects.filter(status=TaskStatus.PARSED).values_list("pk", flat=True)
    due = Q(status=TaskStatus.SCHEDULED) & (Q(expected_start=None) | Q(expected_start__lte=Now()))
    approved = (
        OpsTask.objects.filter(Q(status=TaskStatus.APPROVED) | due)
        .filter(~Exists(Run.objects.filter(task=OuterRef("pk"), finished_at=None)))
        .order_by("priority", "-is_urgent", "pk")
        .values_list("pk", flat=True)
    )
    unasked = HostKeyScan.objects.filter(status=ScanStatus.WAITING).values_list("pk", flat=True)
    lost = Q(lease_until=None) | Q(lease_until__lt=Now())
    unlooked = DryRun.objects.filter(lost, finished_at=None).values_list("pk", flat=True)
    sick = checks_to_answer().values_list("pk", flat=True)
    living = runs_to_drive().values_list("pk", flat=True)
    end_taken_over()
    record_presses()
    rung = 0
    for function, pks in (
        ("prepare_plan", parsed),
        ("start_run", approved),
        ("drive_run", living),
        ("scan_host_key", unasked),
        ("answer_dry_run", unlooked),
        ("answer_failed_check", sick),
    ):
        for pk in pks:
            enqueue(f"execution.tasks.{function}", pk)
            rung += 1
    return rung
