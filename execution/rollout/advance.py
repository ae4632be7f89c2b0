"""What comes next in a run: the next wave, the way back, or the end. Decided under the run's lock, from rows alone."""

from collections import Counter

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from execution.choices import CLAIMABLE, HELD, OUT, RunStatus
from execution.choices import HostStatus as H
from execution.models import HostRun, Run, Wave
from execution.playbooks.strategy import Strategy
from execution.rollout.finish import finish_run
from execution.rollout.locks import lock_run
from execution.rollout.open_wave import open_next
from execution.rollout.stop_run import stop_after_halt, stop_if_halted
from execution.rollout.way_back import isolate_failed, leave_the_rest, open_wave_to_undo, roll_back_scope, spare_pending

_BAD = (H.FAILED, H.UNCERTAIN, H.UNDO_FAILED)
#: A host that somebody left out after it had failed counts as failed still.
_FAILED = Q(status__in=OUT) | Q(status=H.SKIPPED, started_at__isnull=False)
_NAMED = 5


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
    wave = run.waves.filter(opened_at__isnull=False).order_by("-number")[0]
    statuses = _counted(HostRun.objects.filter(wave=wave))
    is_held = any(statuses[status] for status in HELD)
    is_stopped = statuses[H.UNTOUCHED] and run.aborted_by_id is None and not any(statuses[bad] for bad in _BAD)
    if statuses[H.HALTED] or is_stopped:
        stop_after_halt(run)
    elif statuses[H.UNDO_FAILED]:
        spare_pending(run)
        leave_the_rest(run)
        if not is_held:
            _end_manual(run)
    elif run.aborted_by_id is not None or _is_beyond(run, wave, statuses):
        spare_pending(run)
        if not is_held:
            roll_back_scope(run, wave, run.rollback or Strategy.of(run.plan.content).rollback, _why(run))
    else:
        if statuses[H.FAILED]:
            isolate_failed(run, wave)
            statuses = _counted(HostRun.objects.filter(wave=wave))
        if not any(statuses[status] for status in (*CLAIMABLE, *HELD)):
            open_next(run, wave)


def _is_beyond(run: Run, wave: Wave, statuses: Counter[str]) -> bool:
    """Whether more has failed than the strategy tolerates; what is uncertain is never tolerated."""
    if not any(statuses[status] for status in (*OUT, H.SKIPPED)):
        return False
    members = HostRun.objects.filter(wave=wave)
    failed = members.filter(_FAILED).count()
    if statuses[H.UNCERTAIN] or not failed:
        return bool(statuses[H.UNCERTAIN])
    strategy, hosts = Strategy.of(run.plan.content), run.plan.content["hosts"]
    tiers = [hosts[name]["tier"] for name in members.values_list("server__hostname", flat=True)]
    failed_in_all = HostRun.objects.filter(_FAILED, wave__run=run).count()
    return failed > strategy.tolerated_in_wave(tiers) or failed_in_all > strategy.tolerated_in_all(len(hosts))


def _why(run: Run) -> str:
    """An abort's own words, or what failed."""
    return run.reason if run.aborted_by_id is not None else _named(run, [H.FAILED, H.UNCERTAIN])


def _back(run: Run) -> None:
    rows = HostRun.objects.filter(wave__run=run)
    if rows.filter(status=H.UNDO_FAILED).exists():
        leave_the_rest(run)
    open_ones = _counted(rows.filter(wave__is_open=True))
    if any(open_ones[status] for status in (*CLAIMABLE, *HELD)) or open_wave_to_undo(run):
        return
    if rows.filter(status__in=[H.UNDO_FAILED, H.UNCERTAIN]).exists():
        _end_manual(run)
        return
    if run.aborted_by_id is not None:
        run.finish_abort()
    else:
        run.finish_rollback()
    run.save()
    finish_run(run)


def _end_manual(run: Run) -> None:
    run.hand_over(_named(run, [H.UNDO_FAILED, H.UNCERTAIN]))
    run.save()
    finish_run(run)


def _named(run: Run, statuses: list[H]) -> str:
    """The first few hosts in these states, each with what went wrong."""
    rows = HostRun.objects.filter(wave__run=run, status__in=statuses).select_related("server").order_by("pk")
    words = [f"{host.server.hostname}: {host.error or host.error_code}" for host in rows[: _NAMED + 1]]
    return "; ".join(words[:_NAMED]) + (" …" if len(words) > _NAMED else "")


def _counted(rows: QuerySet[HostRun]) -> Counter[str]:
    return Counter(dict(rows.order_by().values_list("status").annotate(count=Count("pk"))))
