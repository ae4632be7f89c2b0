"""The acts of a PM or operator on a run that is under way: pause, abort, and leave a host out."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from execution.choices import SKIPPED_CODE, HeldFor, HostStatus, RollbackScope, RunStatus
from execution.live.events import append_event
from execution.models import HostRun, Run
from execution.rollout.locks import lock_run
from execution.rollout.way_back import locked_hosts, spare_pending
from governance.exceptions import ReasonMissing
from governance.services.who import require_steerer
from guardia.common.clock import now
from guardia.common.errors import InvalidInput, StaleState
from guardia.common.queue import enqueue
from tickets.locks import lock_visible_task


@refusals_recorded
@transaction.atomic
def pause_run(*, actor: User, task_id: str, reason: str) -> Run:
    """Begin with no further host until somebody resumes; those that are being worked on are finished.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, StaleState (not going forward, or paused already).
    """
    run = _running(actor, task_id, reason)
    if run.held_for == HeldFor.PAUSE:
        raise StaleState(_("It is paused already."))
    run.held_at, run.held_for = now(), HeldFor.PAUSE
    run.held_because = _("Paused by %(name)s: %(reason)s") % {"name": actor, "reason": reason.strip()}
    run.save()
    _tell(run, actor, "run.paused", "run_paused", reason)
    return run


@refusals_recorded
@transaction.atomic
def abort_run(*, actor: User, task_id: str, reason: str, rollback: RollbackScope) -> Run:
    """End a run before its time. No further host is begun with, those that are being worked on are finished, and then
    what `rollback` says goes back: HOST leaves everything that has succeeded as it is.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, StaleState (not going forward).
    """
    run = _running(actor, task_id, reason)
    spare_pending(run)
    run.let_go()
    run.aborted_by, run.rollback = actor, rollback
    run.reason = _("Aborted by %(name)s: %(reason)s") % {"name": actor, "reason": reason.strip()}
    run.save()
    _tell(run, actor, "run.aborted", "run_aborting", reason, rollback=rollback)
    return run


@refusals_recorded
@transaction.atomic
def skip_host(*, actor: User, task_id: str, hostname: str, reason: str) -> HostRun:
    """Leave a host out that waits for its turn, or one that failed and is to be left as it is now.

    Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, InvalidInput (no such host in this run), StaleState
    (not going forward, or the host is being worked on or done).
    """
    run = _running(actor, task_id, reason)
    rows = locked_hosts(run).exclude(status=HostStatus.RETRIED)
    host = rows.filter(server__hostname=hostname[:128].replace("\0", "")).first()
    if host is None:
        raise InvalidInput(_("There is no server “%(name)s” in this run.") % {"name": hostname[:80]})
    if host.status not in (HostStatus.PENDING, HostStatus.FAILED, HostStatus.UNDONE):
        raise StaleState(_("%(name)s: %(status)s.") % {"name": host.server, "status": host.get_status_display()})
    host.skip(SKIPPED_CODE, _("Left out by %(name)s: %(reason)s") % {"name": actor, "reason": reason.strip()})
    host.save()
    append_event(run, "host_settled", host, host=host.server.hostname, status=host.status, error=host.error)
    _tell(run, actor, "host.skipped", "", reason, server=host.server.hostname)
    return host


def _running(actor: User, task_id: str, reason: str) -> Run:
    """The task's run, locked, on its way forward."""
    task = lock_visible_task(task_id, actor)
    require_steerer(actor, task)
    found = Run.objects.filter(task=task, status=RunStatus.RUNNING, aborted_by=None).first()
    if found is None:
        raise StaleState(_("No run of this task is on its way forward."))
    if not reason.strip():
        raise ReasonMissing
    return lock_run(found.pk)


def _tell(run: Run, actor: User, action: str, event: str, reason: str, **facts: object) -> None:
    """The event first: workers, who write beside us, lock its head before the chain."""
    if event:
        append_event(run, event, actor=str(actor), reason=reason.strip())
    record(
        action=action,
        actor=actor,
        institution=run.task.institution,
        subject=run,
        task_id=run.task.task_id,
        summary=reason.strip(),
        **facts,
    )
    enqueue("execution.tasks.drive_run", run.pk)
