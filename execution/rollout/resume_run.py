from django.db import transaction

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from execution.gate.admission import check_hours
from execution.live.events import append_event
from execution.models import Run
from execution.rollout.locks import lock_run
from governance.exceptions import ReasonMissing
from governance.services.who import require_judge
from guardia.common.errors import StaleState
from guardia.common.queue import enqueue
from tickets.locks import lock_visible_task


@refusals_recorded
@transaction.atomic
def resume_run(*, actor: User, task_id: str, reason: str) -> Run:
    """A PM who didn't file the task lets a held run go on outside its change window, to its end. In a freeze it needs
    an exception first.

    Raises NotVisible, SelfApproval, NotPermitted, OutsideBastion, ReasonMissing, StaleState (not held), NotNow.
    """
    task = lock_visible_task(task_id, actor)
    require_judge(actor, task)
    held = Run.objects.filter(task=task, held_at__isnull=False, finished_at=None).first()
    if held is None:
        raise StaleState
    if not reason.strip():
        raise ReasonMissing
    run = lock_run(held.pk)
    check_hours(task, in_windows=False)
    run.resumed_by = actor
    run.save(update_fields=["resumed_by"])
    record(
        action="run.resumed",
        actor=actor,
        institution=task.institution,
        subject=run,
        task_id=task.task_id,
        summary=reason,
        held=run.held_because,
    )
    append_event(run, "run_resumed", actor=str(actor))
    enqueue("execution.tasks.drive_run", run.pk)
    return run
