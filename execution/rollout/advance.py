"""What comes next in a run: the next wave, the way back, or the end. Decided under the run's lock, from rows alone."""

from collections import Counter

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.scope import holders_of
from execution.choices import CLAIMABLE, HELD, HostStatus, Phase, RunStatus
from execution.exceptions import GateClosed
from execution.gate.admission import check_hours
from execution.gate.integrity import check_integrity
from execution.live.events import append_event
from execution.models import HostRun, Run, StepResult, Wave
from execution.rollout.finish import finish_run
from execution.rollout.locks import lock_run
from execution.rollout.stop_run import open_wave_to_undo, spare_pending, stop_after_halt, stop_if_halted
from execution.steps.undo import touched
from guardia.common.clock import now
from notifications.services import notify

_BAD = (HostStatus.FAILED, HostStatus.UNCERTAIN)


@transaction.atomic
def advance(run_pk: int) -> bool:
    """Move the run on as far as its rows allow; True while it lives. Any worker may call it at any time."""
    run = lock_run(run_pk)
    if settings.GUARDIA_GATEWAY:
        stop_if_halted(run)
        return run.is_living  # what comes next is the core's to say
    if run.is_living and stop_if_halted(run) and run.status != RunStatus.ROLLING_BACK:
        return run.is_living
    if run.status == RunStatus.RUNNING:
        _forward(run)
    if run.status == RunStatus.ROLLING_BACK:
        _back(run)
    return run.is_living


def _forward(run: Run) -> None:
    wave = run.waves.filter(is_open=True).order_by("-number").first()
    statuses = _statuses(HostRun.objects.filter(wave=wave).values_list("status", flat=True))
    if statuses[HostStatus.HALTED] or (statuses[HostStatus.UNTOUCHED] and not any(statuses[bad] for bad in _BAD)):
        stop_after_halt(run)
    elif any(statuses[status] for status in _BAD):
        spare_pending(run)
        if not any(statuses[status] for status in HELD):
            _begin_rollback(run, wave)  # type: ignore[arg-type]  # a run has an open wave
    elif not any(statuses[status] for status in (*CLAIMABLE, *HELD)):
        _open_next(run, wave)  # type: ignore[arg-type]


def _open_next(run: Run, wave: Wave) -> None:
    following = run.waves.filter(number__gt=wave.number).order_by("number").first()
    if following is None:
        run.succeed()
        run.save()
        finish_run(run)
        return
    try:
        check_hours(run.task, in_windows=run.resumed_by_id is None)
        check_integrity(run.task.institution)
    except GateClosed as refusal:
        _hold(run, following, str(refusal))
        return
    run.held_at, run.held_because = None, ""
    run.save(update_fields=["held_at", "held_because"])
    following.is_open = True
    following.save(update_fields=["is_open"])
    append_event(run, "wave_opened", wave=following.number)


def _hold(run: Run, following: Wave, reason: str) -> None:
    """The hours ended within the run: what is done stays done, and the next wave waits until they open again or a PM
    resumes. The servers stay locked for this run. Told once; the sweep asks again every minute."""
    is_new, run.held_because = run.held_at is None, reason
    run.held_at = run.held_at or now()
    run.save(update_fields=["held_at", "held_because"])
    if not is_new:
        return
    append_event(run, "run_held", wave=following.number, reason=reason)
    notify(
        recipients=holders_of(Role.PM, run.task.institution_id),
        kind="run_held",
        key=f"run:{run.pk}:{following.number}",
        link=f"/tasks/{run.task.task_id}/",
        task=run.task.task_id,
        reason=reason,
    )


def _begin_rollback(run: Run, wave: Wave) -> None:
    rows = (
        HostRun.objects.select_for_update(of=("self",), no_key=True)
        .select_related("server")
        .filter(wave=wave)
        .order_by("pk")
    )
    hosts = list(rows)
    failed = [host for host in hosts if host.status in _BAD]
    run.roll_back("; ".join(f"{host.server.hostname}: {host.error or host.error_code}" for host in failed[:5]))
    run.save()
    append_event(run, "rollback_started", wave=wave.number, reason=run.reason)
    begun: dict[int, set[int]] = {}
    for host_pk, order in StepResult.objects.filter(host_run__wave=wave, phase=Phase.APPLY).values_list(
        "host_run_id", "order"
    ):
        begun.setdefault(host_pk, set()).add(order)
    content = run.plan.content["hosts"]
    for host in hosts:
        is_candidate = host.status in (HostStatus.DONE, HostStatus.FAILED)
        if is_candidate and touched(content[host.server.hostname]["steps"], begun.get(host.pk, set())):
            host.ask_undo()
            host.save()


def _back(run: Run) -> None:
    rows = HostRun.objects.filter(wave__run=run)
    open_ones = _statuses(rows.filter(wave__is_open=True).values_list("status", flat=True))
    if any(open_ones[status] for status in (*CLAIMABLE, *HELD)):
        return
    if rows.filter(status=HostStatus.UNDO_FAILED).exists():
        _leave_the_rest(run)
    elif open_wave_to_undo(run):
        return
    needs_people = HostRun.objects.filter(
        wave__run=run, status__in=[HostStatus.UNDO_FAILED, HostStatus.UNCERTAIN]
    ).select_related("server")
    if needs_people:
        run.hand_over(
            "; ".join(f"{host.server.hostname}: {host.error or host.error_code}" for host in needs_people[:5])
        )
    else:
        run.finish_rollback()
    run.save()
    finish_run(run)


def _leave_the_rest(run: Run) -> None:
    """A rollback has failed: the earlier waves, which were to go back after it, are left to people."""
    rows = HostRun.objects.select_for_update(of=("self",), no_key=True).select_related("server").order_by("pk")
    for host_run in rows.filter(wave__run=run, status=HostStatus.UNDO_PENDING):
        host_run.fail_undo("rollback_stopped", _("Not rolled back, because another rollback of this run failed."))
        host_run.save()
        append_event(run, "host_settled", host_run, host=host_run.server.hostname, status=host_run.status)


def _statuses(values: object) -> Counter[str]:
    return Counter(values)  # type: ignore[call-overload, no-any-return]
