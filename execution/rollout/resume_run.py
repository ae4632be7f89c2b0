from django.db import transaction

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from execution.choices import HeldFor
from execution.gate.admission import check_hours
from execution.live.events import append_event
from execution.models import Run
from execution.rollout.locks import lock_run
from governance.choices import HANDS
from governance.exceptions import ReasonMissing
from governance.services.who import require_judge, require_other, require_steerer
from guardia.common.errors import StaleState
from guardia.common.queue import enqueue
from tickets.locks import lock_visible_task


@refusals_recorded
@transaction.atomic
def resume_run(*, actor: User, task_id: str, reason: str = "") -> Run:
    """Let a held run go on: after a pause; through a gate, by a PM or operator who didn't file the task; or outside of
    its change window to its end, by such a PM with a reason. In a freeze it needs an exception first.

    Raises NotVisible, SelfApproval, NotPermitted, OutsideBastion, ReasonMissing, StaleState (not held, or being watched
    still), NotNow.
    """
    task = lock_visible_task(task_id, actor)
    held = Run.objects.filter(task=task, held_at__isnull=False, finished_at=None).first()
    held_for = held.held_for if held is not None else HeldFor.HOURS
    if held_for in (HeldFor.PAUSE, HeldFor.GATE):
        require_steerer(actor, task)
    else:
        require_judge(actor, task)
    if held_for == HeldFor.GATE:
        require_other(actor, task, HANDS)
    if held is None or held_for == HeldFor.BAKE:
        raise StaleState
    reason = reason.strip()
    if not reason and held_for not in (HeldFor.PAUSE, HeldFor.GATE):
        raise ReasonMissing
    run = lock_run(held.pk)
    because = run.held_because
    if held_for == HeldFor.GATE:
        _let_next_wave_go(run, actor)
    elif held_for == HeldFor.PAUSE:
        run.let_go()
    else:
        check_hours(task, in_windows=False)
        run.resumed_by = actor
    run.save()
    kind = {HeldFor.GATE: "wave_let_go", HeldFor.PAUSE: "run_unpaused"}.get(HeldFor(held_for or "HOURS"), "run_resumed")
    append_event(run, kind, actor=str(actor), reason=reason)
    record(
        action="run.resumed",
        actor=actor,
        institution=task.institution,
        subject=run,
        task_id=task.task_id,
        summary=reason,
        held=because,
        held_for=held_for or HeldFor.HOURS,
    )
    enqueue("execution.tasks.drive_run", run.pk)
    return run


def _let_next_wave_go(run: Run, actor: User) -> None:
    wave = run.waves.filter(opened_at=None).order_by("number")[0]
    wave.let_go_by = actor
    wave.save(update_fields=["let_go_by"])
    run.let_go()
