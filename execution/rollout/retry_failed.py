from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from execution.choices import CLAIMABLE, GROUP_CODE, HELD, HostStatus, RunStatus
from execution.gate.admission import approved_content, check_artefacts, check_change, check_hours
from execution.gate.halts import halts_of_institution, words_of
from execution.gate.integrity import check_integrity
from execution.live.events import append_event
from execution.models import HostLock, HostRun, Run
from execution.plan.waves import Candidate, plan_waves
from execution.playbooks.strategy import Strategy
from execution.rollout.hosts import hold_hosts_free
from execution.rollout.locks import lock_run
from execution.rollout.open_wave import insert_waves
from execution.rollout.way_back import locked_hosts
from governance.exceptions import ReasonMissing
from governance.services.who import require_steerer
from guardia.common.errors import StaleState
from guardia.common.queue import enqueue
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task

#: Runs that have ended, and may go on with what failed as long as nobody has closed their task.
_ENDED = (RunStatus.SUCCEEDED, RunStatus.ROLLED_BACK, RunStatus.ABORTED)


@refusals_recorded
@transaction.atomic
def retry_failed(*, actor: User, task_id: str, reason: str) -> Run:
    """Try the failed hosts of a run again, and no others: in new waves of the same run, under the same digest. With
    them well, what was rolled back beside them or never begun with has its turn.

    Between two waves, or after the run has ended and while its task isn't closed: then everything is asked again that
    is asked of a run that begins. Raises NotVisible, NotPermitted, OutsideBastion, ReasonMissing, GateClosed, NotNow,
    StaleState (nothing failed, a wave is under way, the servers are in use, the kill switch is pressed).
    """
    task = lock_visible_task(task_id, actor)
    require_steerer(actor, task)
    found = task.runs.first()
    if found is None or found.status not in (*_ENDED, RunStatus.RUNNING) or (found.aborted_by_id and found.is_living):
        raise StaleState(_("No server of this run can be tried again."))
    if not reason.strip():
        raise ReasonMissing
    run = lock_run(found.pk)
    hosts = list(locked_hosts(run))
    if any(host.status in (*CLAIMABLE, *HELD) and host.wave.is_open for host in hosts):
        raise StaleState(_("A wave is under way; wait until it is over, or pause the run."))
    failed = [host for host in hosts if host.status in (HostStatus.FAILED, HostStatus.UNDONE) and host.error_code]
    if not failed:
        raise StaleState(_("No server of this run can be tried again."))
    if not run.is_living:
        _reopen(run, task, actor, reason.strip())
    names = [host.server.hostname for host in failed]
    _put_in(run, actor, hosts, failed)
    append_event(run, "run_retried", actor=str(actor), reason=reason.strip(), hosts=", ".join(names[:5]))
    record(
        action="run.retried",
        actor=actor,
        institution=task.institution,
        subject=run,
        task_id=task.task_id,
        summary=reason.strip(),
        plan_digest=run.plan.digest,
        servers=names,
    )
    enqueue("execution.tasks.drive_run", run.pk)
    return run


def _reopen(run: Run, task: OpsTask, actor: User, reason: str) -> None:
    """As when a run begins: approvals, hours, the chain, the files, and nobody else on the servers."""
    halt = halts_of_institution(task.institution_id).first()
    if halt is not None:
        raise StaleState(words_of(halt))
    content = approved_content(run.plan)
    check_change(task, run.diff_digest)
    check_artefacts(content)
    check_hours(task)
    check_integrity(task.institution)
    if not hold_hosts_free(task):
        raise StaleState(_("Another run holds these servers or others of their group."))
    names = list(content["hosts"])
    servers = task.servers.filter(hostname__in=names).order_by("pk")
    if len(servers) != len(names):
        raise StaleState(_("The task has other servers now; it has to be planned again."))
    HostLock.objects.bulk_create([HostLock(server=server, run=run) for server in servers])
    transition_task(task=task, by="retry", actor=actor, reason=reason, run=run.pk)
    run.reopen()
    run.save()


def _put_in(run: Run, actor: User, hosts: list[HostRun], failed: list[HostRun]) -> None:
    """Behind the last wave that was begun: waves of what failed, then of what was rolled back or spared beside it."""
    last = run.waves.filter(opened_at__isnull=False).order_by("-number")[0]
    beside, keys = [], {host.pk for host in failed}
    for host in hosts:
        if host.status == HostStatus.UNTOUCHED and host.wave.opened_at is None:
            host.go_on()
            host.save()
        elif host.pk in keys:
            continue
        elif host.status in (HostStatus.UNDONE, HostStatus.UNTOUCHED) or host.error_code == GROUP_CODE:
            beside.append(host)
    again = _waves_of(run, failed, Strategy(batches=("100%",)))
    rest = _waves_of(run, beside, Strategy.of(run.plan.content))
    insert_waves(run, last.number, rest)
    insert_waves(run, last.number, again, let_go_by=actor)


def _waves_of(run: Run, hosts: Sequence[HostRun], strategy: Strategy) -> list[list[HostRun]]:
    content, by_name = run.plan.content["hosts"], {host.server.hostname: _again(host) for host in hosts}
    candidates = [Candidate(name, content[name]["tier"], content[name]["group"]) for name in by_name]
    return [[by_name[name] for name in names] for names in plan_waves(candidates, strategy)]


def _again(host: HostRun) -> HostRun:
    """A new row for what was worked on before; what never was keeps its own."""
    if host.status in (HostStatus.UNTOUCHED, HostStatus.SKIPPED):
        host.go_on()
        host.save()
        return host
    host.retry()
    host.save()
    return HostRun(server=host.server)
