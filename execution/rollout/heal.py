"""After a failed health check: a task that takes the server out, restores the last good bytes, starts it and looks.

It is a task like any other: planned, approved, run and undone by the same engine. Where the system's owner has given a
standing pre-approval for it, it runs at once; otherwise it waits for people, as a proposal.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from audit.services import record
from cmdb.models import Server
from execution.choices import HostStatus, Phase, RunStatus, StepStatus
from execution.models import Healing, HostLock, HostRun, Run, StepResult
from execution.rollout.locks import lock_run
from guardia.common.clock import now
from guardia.common.errors import GuardiaError
from tickets.choices import Channel, SubType, TaskStatus
from tickets.models import Artefact, OpsTask
from tickets.services.file_task import file_task

ACTOR = "guardia"
#: A server that was to be healed within this time isn't healed again by itself: something else is wrong with it.
PAUSE = timedelta(hours=1)
#: Steps that look at the service itself: a full disk or a lost log-in is no illness that a restart cures.
_SYMPTOMS = ("check_port", "http_check", "health", "wait_tcp")
_DEPLOYS = (SubType.WAS_ROLLING, SubType.CODE_FIX)
_GONE = (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.REJECTED, TaskStatus.WITHDRAWN)


def checks_to_answer() -> QuerySet[Run]:
    """Failed health checks of the last hour with a server that nobody has looked after."""
    sick = _sick().filter(wave__run=OuterRef("pk"))
    unanswered = sick.filter(
        ~Exists(Healing.objects.filter(check_run=OuterRef("wave__run"), server=OuterRef("server")))
    )
    ended = Run.objects.filter(task__sub_type=SubType.HEALTH_CHECK, status=RunStatus.ROLLED_BACK)
    return ended.filter(Exists(unanswered), finished_at__gt=now() - PAUSE)


@transaction.atomic
def answer_failed_check(run_pk: int) -> list[OpsTask]:
    """File the tasks that are to heal the servers which failed this check; asked twice it does nothing more."""
    run = lock_run(run_pk)
    answered = Healing.objects.filter(check_run=run).values("server")
    hosts = _sick().filter(wave__run=run).exclude(server__in=answered).select_related("server").order_by("pk")
    groups: dict[str, list[Server]] = defaultdict(list)
    files: dict[str, Artefact] = {}
    for server in [host.server for host in hosts]:
        if reason := _why_not(server):
            Healing.objects.create(check_run=run, server=server, reason=reason)
            continue
        good = last_good(server)
        snapshot = good.sha256 if good is not None else ""
        if good is not None:
            files[snapshot] = good
        groups[snapshot].append(server)
    return [task for snapshot, servers in groups.items() for task in _propose(run, servers, files.get(snapshot))]


def last_good(server: Server) -> Artefact | None:
    """The bytes of the last deployment on this server that a PM has accepted."""
    deployed = HostRun.objects.filter(server=server, status=HostStatus.DONE, wave__run__task=OuterRef("pk"))
    accepted = OpsTask.objects.filter(Exists(deployed), sub_type__in=_DEPLOYS, status=TaskStatus.COMPLETED)
    task = accepted.order_by("-runs__finished_at").first()
    return task.artefacts.order_by("-pk").first() if task is not None else None


def _sick() -> QuerySet[HostRun]:
    symptom = StepResult.objects.filter(
        host_run=OuterRef("pk"), phase=Phase.APPLY, status=StepStatus.FAILED, name__in=_SYMPTOMS
    )
    return HostRun.objects.filter(Exists(symptom), status=HostStatus.FAILED)


def _why_not(server: Server) -> str:
    """Why nothing is begun by itself; empty where it may be."""
    if HostLock.objects.filter(server=server).exists():
        return _("Another run holds this server.")
    others = OpsTask.objects.filter(healings__server=server)
    if others.filter(Q(healings__created_at__gt=now() - PAUSE) | ~Q(status__in=_GONE)).exists():
        return _("It was to be healed a short while ago; people should look.")
    return ""


def _propose(run: Run, servers: Iterable[Server], good: Artefact | None) -> list[OpsTask]:
    """With no known good bytes the service is only restarted."""
    servers, check = list(servers), run.task
    kind = SubType.SELF_HEAL if good is not None else SubType.SERVICE_RESTART
    try:
        with transaction.atomic():
            task = file_task(
                actor=check.requester,
                text=_("Self-healing after the failed health check %(task)s") % {"task": check.task_id},
                channel=Channel.API,
                system_code=servers[0].system.code,
                hostnames=[server.hostname for server in servers],
                sub_type=kind,
                key=f"heal:{run.pk}:{good.sha256[:32] if good is not None else ''}",
            )
            if good is not None:
                Artefact.objects.create(task=task, name=good.name, size=good.size, sha256=good.sha256)
    except GuardiaError as refusal:
        for server in servers:
            Healing.objects.create(check_run=run, server=server, reason=str(refusal))
        return []
    snapshot = good.sha256 if good is not None else ""
    Healing.objects.bulk_create(Healing(check_run=run, server=one, task=task, snapshot=snapshot) for one in servers)
    record(
        action="healing.proposed",
        actor=ACTOR,
        institution=task.institution,
        subject=task,
        task_id=task.task_id,
        check=check.task_id,
        servers=[server.hostname for server in servers],
        snapshot=snapshot,
    )
    return [task]
