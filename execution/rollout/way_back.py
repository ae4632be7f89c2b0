"""Hosts on their way back: all of a run, a wave, or one host alone while the run goes on."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from execution.choices import HostStatus, RollbackScope
from execution.live.events import append_event, hosts_settled
from execution.models import HostRun, Run, Wave
from execution.rollout.where import steps_begun
from execution.steps.undo import drains, touched

_UNDOABLE = (HostStatus.DONE, HostStatus.FAILED, HostStatus.HALTED, HostStatus.UNCERTAIN)
_SCOPES = {
    RollbackScope.HOST: (HostStatus.FAILED,),
    RollbackScope.WAVE: (HostStatus.DONE, HostStatus.FAILED),
    RollbackScope.RUN: (HostStatus.DONE, HostStatus.FAILED),
}
_BATCH = 500


def locked_hosts(run: Run) -> QuerySet[HostRun]:
    """The run's hosts, locked, in the order that everybody keeps."""
    rows = HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server__site", "wave")
    return rows.filter(wave__run=run).order_by("pk")


def roll_back_scope(run: Run, wave: Wave, scope: str, reason: str) -> None:
    """Take back what the scope says, counted from the current wave. What is uncertain is left for people."""
    rows = locked_hosts(run).filter(status__in=_SCOPES[RollbackScope(scope)])
    if scope == RollbackScope.WAVE:
        rows = rows.filter(wave=wave)
    begin_undo(run, reason, scope=scope, hosts=_touched(run, rows))


def touched_hosts(run: Run) -> list[HostRun]:
    """Hosts, locked, that aren't as they were before the run and aren't on their way back."""
    return _touched(run, locked_hosts(run).filter(status__in=_UNDOABLE))


def begin_undo(
    run: Run, reason: str, *, scope: str = RollbackScope.RUN, hosts: Sequence[HostRun] | None = None
) -> None:
    """These locked hosts go back, without a word: every one where a change was begun, whatever became of it. Wave by
    wave, the last one first."""
    run.roll_back(reason, scope)
    run.save()
    found = touched_hosts(run) if hosts is None else list(hosts)
    for host in found:
        host.ask_undo()
    HostRun.objects.bulk_update(found, ["status"], batch_size=_BATCH)
    run.waves.update(is_open=False)
    open_wave_to_undo(run)


def open_wave_to_undo(run: Run) -> bool:
    """Open the last wave that has hosts to roll back and isn't open; False where there is none."""
    waiting = HostRun.objects.filter(wave__run=run, wave__is_open=False, status=HostStatus.UNDO_PENDING)
    following = waiting.select_related("wave").order_by("-wave__number").first()
    if following is None:
        return False
    following.wave.is_open = True
    following.wave.save(update_fields=["is_open"])
    append_event(run, "rollback_started", wave=following.wave.number, reason=run.reason)
    return True


def isolate_failed(run: Run, wave: Wave) -> None:
    """The failed hosts of a wave whose run goes on: each is rolled back alone, and stays out of its balancer where the
    work has taken it out."""
    failed = _touched(run, locked_hosts(run).filter(wave=wave, status=HostStatus.FAILED))
    begun, content = steps_begun(run, failed), run.plan.content["hosts"]
    for host in failed:
        name = host.server.hostname
        host.stays_drained = drains(content[name]["steps"], {result.order for result in begun[host.pk]})
        host.ask_undo()
        host.save(update_fields=["status", "stays_drained"])
        append_event(run, "host_isolated", host, host=name, status=host.status, error=host.error)


def leave_the_rest(run: Run) -> None:
    """A rollback has failed: what was to go back after it is left to people."""
    for host_run in locked_hosts(run).filter(status=HostStatus.UNDO_PENDING):
        host_run.fail_undo("rollback_stopped", _("Not rolled back, because another rollback of this run failed."))
        host_run.save()
        append_event(run, "host_settled", host_run, host=host_run.server.hostname, status=host_run.status)


def spare_pending(run: Run) -> None:
    """Hosts that nobody has taken yet stay untouched, in all waves; nobody is looked at again."""
    hosts = list(locked_hosts(run).filter(status=HostStatus.PENDING))
    for host in hosts:
        host.spare()
    HostRun.objects.bulk_update(hosts, ["status", "claim", "lease_until"], batch_size=_BATCH)
    hosts_settled(run, hosts)
    waiting = list(locked_hosts(run).filter(status=HostStatus.CHECK_PENDING))
    for host in waiting:
        host.end_check()
    if waiting:
        HostRun.objects.bulk_update(waiting, ["status", "finished_at"], batch_size=_BATCH)
        hosts_settled(run, waiting)
        run.waves.filter(pk__in={host.wave_id for host in waiting}).update(checked_at=None)


def _touched(run: Run, rows: QuerySet[HostRun]) -> list[HostRun]:
    hosts = list(rows)
    if not hosts:
        return []
    begun, content = steps_begun(run, hosts), run.plan.content["hosts"]
    return [
        host
        for host in hosts
        if touched(content[host.server.hostname]["steps"], {result.order for result in begun[host.pk]})
    ]
