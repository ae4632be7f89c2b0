"""The step from a wave that is over to the next one: watched, checked again, let go, within its hours; or the end."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holders_of
from execution.choices import GROUP_CODE, OUT, HeldFor, HostStatus
from execution.exceptions import GateClosed
from execution.gate.admission import check_hours
from execution.gate.integrity import check_integrity
from execution.live.events import append_event, hosts_settled
from execution.models import HostRun, Run, Wave
from execution.playbooks.strategy import Strategy
from execution.rollout.finish import finish_run
from execution.rollout.way_back import locked_hosts
from execution.rollout.where import steps_begun
from execution.steps.undo import recheck_ops
from governance.choices import HANDS
from guardia.common.clock import now
from notifications.services import notify

_BATCH = 500
_NAMED = 5


def open_next(run: Run, wave: Wave) -> None:
    """Every host of the wave is settled, and what failed is tolerated."""
    following = run.waves.filter(number__gt=wave.number).order_by("number").first()
    if following is None:
        run.succeed(_left_out(run))
        run.let_go()
        run.save()
        finish_run(run)
        return
    if run.held_for == HeldFor.PAUSE:
        return
    strategy = Strategy.of(run.plan.content)
    if strategy.bake and not _is_baked(run, wave, following, strategy.bake):
        return
    if strategy.gate == "manual" and following.let_go_by_id is None:
        words = _("Wave %(wave)s is well. Somebody has to let wave %(next)s go.")
        _hold(run, HeldFor.GATE, following, words % {"wave": wave.number, "next": following.number}, HANDS)
        return
    try:
        check_hours(run.task, in_windows=run.resumed_by_id is None)
        check_integrity(run.task.institution)
    except GateClosed as refusal:
        _hold(run, HeldFor.HOURS, following, str(refusal), [Role.PM])
        return
    run.let_go()
    run.save(update_fields=["held_at", "held_for", "held_because"])
    _spare_groups(run, following)
    following.is_open, following.opened_at = True, now()
    following.save(update_fields=["is_open", "opened_at"])
    append_event(run, "wave_opened", wave=following.number)


def insert_waves(run: Run, after: int, lists: Sequence[list[HostRun]], *, let_go_by: User | None = None) -> None:
    """Put new waves behind the one with this number; each list holds unsaved rows, or pending ones of later waves.
    `let_go_by`: who wants them to go, as a second try."""
    run.waves.filter(number__gt=after).update(number=F("number") + len(lists))
    for number, hosts in enumerate(lists, start=after + 1):
        wave = Wave.objects.create(run=run, number=number, is_retry=let_go_by is not None, let_go_by=let_go_by)
        for host in hosts:
            host.wave = wave
        HostRun.objects.bulk_create([host for host in hosts if host.pk is None], batch_size=_BATCH)
        HostRun.objects.filter(pk__in=[host.pk for host in hosts]).update(wave=wave)


def _is_baked(run: Run, wave: Wave, following: Wave, seconds: int) -> bool:
    """Whether the wave was watched long enough and was well at the end. Nobody sleeps: the sweep asks again."""
    if wave.settled_at is None:
        wave.settled_at = now()
        wave.save(update_fields=["settled_at"])
    until = wave.settled_at + timedelta(seconds=seconds)
    if now() < until:
        moment = timezone.localtime(until).strftime("%H:%M:%S")
        _hold(run, HeldFor.BAKE, following, _("It is being watched until %(time)s.") % {"time": moment})
        return False
    if wave.checked_at is None:
        wave.checked_at = now()
        wave.save(update_fields=["checked_at"])
        return not _ask_checks(run, wave)
    return True


def _ask_checks(run: Run, wave: Wave) -> bool:
    """Have the health of the wave's hosts checked once more; False where there is nothing to check."""
    hosts = list(locked_hosts(run).filter(wave=wave, status=HostStatus.DONE))
    begun, content = steps_begun(run, hosts), run.plan.content["hosts"]
    asked = [
        host
        for host in hosts
        if recheck_ops(content[host.server.hostname]["steps"], {result.order for result in begun[host.pk]}, host.saved)
    ]
    for host in asked:
        host.ask_check()
    HostRun.objects.bulk_update(asked, ["status"], batch_size=_BATCH)
    run.let_go()
    run.save(update_fields=["held_at", "held_for", "held_because"])
    if asked:
        append_event(run, "wave_checked", wave=wave.number)
    return bool(asked)


def _spare_groups(run: Run, wave: Wave) -> None:
    """Of a group with nodes that failed and were left out of their balancer, fewer others may be down at a time. Those
    are put into a wave of their own; where none may be down, the rest of the group is left alone."""
    out = HostRun.objects.filter(wave__run=run, stays_drained=True, status__in=[*OUT, HostStatus.SKIPPED])
    content = run.plan.content["hosts"]
    groups = {name: host["group"] for name, host in content.items() if host["group"]}
    down = Counter(groups[name] for name in out.values_list("server__hostname", flat=True) if name in groups)
    if not down:
        return
    sizes = Counter(groups.values())
    spared, later = [], []
    taken: Counter[str] = Counter()
    for host in locked_hosts(run).filter(wave=wave, status=HostStatus.PENDING):
        group = groups.get(host.server.hostname, "")
        room = max(1, sizes[group] // 2) - down[group] if down[group] else len(content)
        if room <= 0:
            spared.append(host)
        elif taken[group] >= room:
            later.append(host)
        taken[group] += 1
    for host in spared:
        host.skip(GROUP_CODE, _("Left alone: other nodes of its redundancy group are out of service."))
        host.save()
    hosts_settled(run, spared)
    if later:
        insert_waves(run, wave.number, [later])


def _hold(run: Run, held_for: HeldFor, following: Wave, reason: str, told: Iterable[Role] = ()) -> None:
    """What is done stays done, and the next wave waits. The servers stay locked for this run. Told once."""
    is_new = run.held_at is None or run.held_for != held_for
    run.held_at = now() if is_new else run.held_at
    run.held_for, run.held_because = held_for, reason
    run.save(update_fields=["held_at", "held_for", "held_because"])
    if not is_new:
        return
    append_event(run, "run_held", wave=following.number, reason=reason)
    people = [person for role in told for person in holders_of(role, run.task.institution_id)]
    if people:
        notify(
            recipients=people,
            kind="run_held",
            key=f"run:{run.pk}:{following.number}:{held_for}",
            link=f"/tasks/{run.task.task_id}/",
            task=run.task.task_id,
            reason=reason,
        )


def _left_out(run: Run) -> str:
    """The hosts on which the work wasn't done, in words; empty where it was done on all."""
    rows = HostRun.objects.filter(wave__run=run, status__in=[*OUT, HostStatus.SKIPPED, HostStatus.UNTOUCHED])
    found: dict[str, list[str]] = defaultdict(list)
    for host in rows.select_related("server").order_by("pk"):
        label = str(HostStatus(host.status).label)
        found[label + (f", {_('left out of the balancer')}" if host.stays_drained else "")].append(host.server.hostname)
    if not found:
        return ""
    count = sum(map(len, found.values()))
    words = [
        f"{label}: {', '.join(names[:_NAMED])}" + (f" +{len(names) - _NAMED}" if len(names) > _NAMED else "")
        for label, names in found.items()
    ]
    text = ngettext("Not done on %(count)s server. %(words)s", "Not done on %(count)s servers. %(words)s", count)
    return text % {"count": count, "words": "; ".join(words)}
