"""What becomes of a halted run: a PM lets it go on or back, closes it, or somebody takes its task over by hand."""

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from execution.choices import GOING_BACK, HALTED_CODE, HaltScope, HostStatus, RunStatus
from execution.gate.admission import approved_content, check_hours
from execution.gate.halts import halts_of_institution, words_of
from execution.live.events import append_event
from execution.models import HostRun, Run
from execution.rollout.finish import end_halted, lift_halts_of_run
from execution.rollout.locks import lock_run
from execution.rollout.way_back import begin_undo, locked_hosts, touched_hosts
from governance.exceptions import EvidenceMissing, ReasonMissing
from governance.services.bastion import require_bastion
from governance.services.who import require_pm
from guardia.common.errors import StaleState
from guardia.common.queue import enqueue
from tickets.choices import TaskStatus
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def resume_halted(*, actor: User, task_id: str, reason: str) -> Run:
    """Let a halted run go on with what was approved, under the very same digest: what was done stays done, what is
    uncertain is probed first. The press that stopped this run alone is lifted with it.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, GateClosed (the digest, a freeze), StaleState (not
    halted, a wider press still holds, or hosts were already rolled back).
    """
    run = _halted_run(actor, task_id, reason)
    if run.rollback:
        raise StaleState(_("Its servers were already going back; it can only be rolled back to the end."))
    approved_content(run.plan)
    check_hours(run.task, in_windows=False)
    cut = Q(status=HostStatus.UNCERTAIN, error_code=HALTED_CODE)
    hosts = list(locked_hosts(run).filter(cut | Q(status__in=[HostStatus.HALTED, HostStatus.UNTOUCHED])))
    for host in hosts:
        host.go_on()
    HostRun.objects.bulk_update(hosts, ["status", "error_code", "error", "finished_at"], batch_size=500)
    run.waves.update(checked_at=None)  # a look that was cut short is taken again
    run.resume()
    _go_on(run, actor, reason, "run.resumed", plan_digest=run.plan.digest)
    return run


@refusals_recorded
@transaction.atomic
def roll_back_halted(*, actor: User, task_id: str, reason: str) -> Run:
    """Take every host that the halted run has begun back, by the plan's undo. Raises as `resume_halted`."""
    run = _halted_run(actor, task_id, reason)
    is_on_its_way = HostRun.objects.filter(wave__run=run, status__in=GOING_BACK).exists()
    if not is_on_its_way and not touched_hosts(run):
        raise StaleState(_("No server was changed: there is nothing to roll back."))
    begin_undo(run, reason)
    _go_on(run, actor, reason, "run.rollback_asked")
    return run


@refusals_recorded
@transaction.atomic
def close_halted(*, actor: User, task_id: str, reason: str) -> OpsTask:
    """Close a halted task as failed. Only where no server stands in between: those are rolled back or taken over first.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, StaleState, EvidenceMissing.
    """
    run = _halted_run(actor, task_id, reason, is_free=False)
    between = [host for host in touched_hosts(run) if host.status != HostStatus.DONE]
    between += HostRun.objects.filter(wave__run=run, status=HostStatus.UNDO_PENDING).select_related("server")
    if between:
        names = ", ".join(host.server.hostname for host in between[:5])
        raise EvidenceMissing(
            _("%(hosts)s may stand in between: roll back, or take it over by hand.") % {"hosts": names}
        )
    said = _("Closed without being done: %(reason)s") % {"reason": reason.strip()}
    transition_task(task=run.task, by="close_halted", actor=actor, reason=said, run=run.pk)
    end_halted(run)
    return run.task


def end_taken_over(task_pk: int | None = None) -> None:
    """End the halted runs whose task people have taken into their own hands. The sweep asks for all of them."""
    stopped = Run.objects.filter(status=RunStatus.HALTED, finished_at=None).exclude(task__status=TaskStatus.HALTED)
    if task_pk is not None:
        stopped = stopped.filter(task=task_pk)
    for pk in stopped.values_list("pk", flat=True):
        with transaction.atomic():
            run = lock_run(pk)
            if run.status == RunStatus.HALTED and run.finished_at is None and run.task.status != TaskStatus.HALTED:
                end_halted(run)


def _halted_run(actor: User, task_id: str, reason: str, *, is_free: bool = True) -> Run:
    """The task's halted run, locked. `is_free`: no press of all or of the institution may hold any more."""
    task = lock_visible_task(task_id, actor)
    require_pm(actor, task)
    require_bastion(actor=actor, institution=task.institution)
    stopped = Run.objects.filter(task=task, status=RunStatus.HALTED, finished_at=None).first()
    if stopped is None or task.status != TaskStatus.HALTED:
        raise StaleState
    if not reason.strip():
        raise ReasonMissing
    wide = halts_of_institution(task.institution_id).exclude(scope=HaltScope.RUN).first()
    if is_free and wide is not None:
        raise StaleState(_("Lift the kill switch first. %(words)s") % {"words": words_of(wide)})
    return lock_run(stopped.pk)


def _go_on(run: Run, actor: User, reason: str, action: str, **facts: object) -> None:
    run.save()
    lift_halts_of_run(run, actor=actor, reason=reason)
    transition_task(task=run.task, by="go_on", actor=actor, reason=reason, run=run.pk)
    record(
        action=action,
        actor=actor,
        institution=run.task.institution,
        subject=run,
        task_id=run.task.task_id,
        summary=reason,
        **facts,
    )
    append_event(run, "run_unhalted", actor=str(actor), reason=reason)
    enqueue("execution.tasks.drive_run", run.pk)
