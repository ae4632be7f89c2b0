"""What a press of the kill switch means to a run: decided under the run's lock, from rows alone, by whoever comes by
(the one who pressed, a worker, the sweep). It is done when every host is named."""

from collections import Counter

from django.conf import settings

from accounts.choices import Role
from accounts.scope import holders_of
from execution.choices import HALTED_CODE, HELD, HostStatus, Phase, RunStatus
from execution.gate.halts import covering_run, halts_on, words_of
from execution.live.events import append_event, hosts_settled
from execution.models import Halt, HostRun, Run
from execution.rollout.claims import expired
from execution.rollout.way_back import begin_undo, locked_hosts, spare_pending, touched_hosts
from execution.rollout.where import halted_where, has_open_change, steps_begun
from governance.selectors import people_for
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.services.transition_task import transition_task

ACTOR = "guardia"


def stop_if_halted(run: Run) -> bool:
    """Stop a locked, living run as far as its rows allow, where the kill switch covers it; True where it does.

    Hosts that nobody has taken stay untouched at once. Those that a living worker holds are waited for; those of a
    dead one are named when its lease has ended. With the last one the run is HALTED, and goes back if that was chosen.
    """
    is_back = run.status == RunStatus.ROLLING_BACK
    halt = (None if is_back else run.halt) or halts_on(run, Phase.UNDO if is_back else Phase.APPLY).first()
    if halt is None:
        return False
    if run.halt_id is None and not halt.rolls_back and _is_done(run):
        return False  # the last host was faster than the switch: nothing is left to be stopped
    stop(run, halt)
    return True


def stop_after_halt(run: Run) -> None:
    """A host felt a press that was lifted before the run's rows did: it stops all the same."""
    halt = Halt.objects.filter(covering_run(run)).order_by("-pk").first()
    if halt is not None:
        stop(run, halt)


def stop(run: Run, halt: Halt) -> None:
    if run.status == RunStatus.RUNNING:
        if run.halt_id is None and not settings.GUARDIA_GATEWAY:
            run.halt = halt
            run.save(update_fields=["halt"])
            append_event(run, "run_stopping", actor=halt.halted_as, reason=halt.reason)
        spare_pending(run)
    _name_orphans(run)
    if settings.GUARDIA_GATEWAY:
        return  # its hosts are named and handed over; the run is the core's
    if not HostRun.objects.filter(wave__run=run, status__in=HELD).exists():
        _halt(run, halt)


def _halt(run: Run, halt: Halt) -> None:
    counts = Counter(HostRun.objects.filter(wave__run=run).values_list("status", flat=True))
    is_forward = run.status == RunStatus.RUNNING
    reason, task = words_of(halt), run.task
    run.halt = halt
    run.stop(reason)
    run.save()
    append_event(run, "run_halted", actor=halt.halted_as, reason=halt.reason, hosts=dict(sorted(counts.items())))
    if task.status == TaskStatus.EXECUTING:
        facts = {"run": run.pk, "halt": halt.pk, "hosts": dict(sorted(counts.items()))}
        transition_task(task=task, by="halt", actor=ACTOR, reason=reason, **facts)
    people = [*holders_of(Role.PM, task.institution_id), task.requester, *people_for("OWNER", task)]
    notify(
        recipients=people,
        kind="run_halted",
        key=f"run:{run.pk}:{halt.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        reason=reason,
    )
    if is_forward and halt.rolls_back and touched_hosts(run):
        transition_task(task=task, by="go_on", actor=ACTOR, reason=reason, run=run.pk)
        begin_undo(run, reason)


def _name_orphans(run: Run) -> None:
    """Hosts whose worker let its lease run out: where they stand is in their steps' rows."""
    orphans = set(expired(run).values_list("pk", flat=True))
    if not orphans:
        return
    begun, content = steps_begun(run), run.plan.content["hosts"]
    hosts = list(locked_hosts(run).filter(pk__in=orphans))
    for host in hosts:
        steps, results = content[host.server.hostname]["steps"], begun[host.pk]
        latest = {result.order: result for result in results}
        if host.status == HostStatus.CHECKING:
            host.end_check()
        elif has_open_change(steps, latest.values()):
            host.lose(HALTED_CODE, "halted; its worker was lost within a step")
        elif host.status == HostStatus.UNDOING:
            host.halt_undo(HALTED_CODE, "halted; its worker was lost")
        elif not results:
            host.spare()
        else:
            host.halt(HALTED_CODE, halted_where(steps, latest))
        host.save()
    hosts_settled(run, hosts)


def _is_done(run: Run) -> bool:
    return not HostRun.objects.filter(wave__run=run).exclude(status=HostStatus.DONE).exists()
