from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.scope import holders_of
from execution.exceptions import GateClosed, NoPlaybook, NotNow, PlanRefused
from execution.gate.admission import approved_content, check_artefacts, check_change, check_hours
from execution.gate.halts import halts_of_institution, words_of
from execution.gate.integrity import check_integrity
from execution.live.events import append_event
from execution.models import EventHead, HostLock, HostRun, Plan, Run, Wave
from execution.plan.compare import changed_parts
from execution.plan.prepare import freeze_plan, hand_to_people
from execution.rollout.hosts import hold_hosts_free
from governance.exceptions import NobodyToAsk
from governance.selectors import approved_digest, awaits_change
from governance.services.request_approval import request_approval
from governance.services.schedule_task import hold_task
from governance.services.submit_change import begin_change
from governance.services.void_round import void_round
from guardia.common.clock import now
from guardia.common.queue import enqueue
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.locks import lock_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task

ACTOR = "guardia"


@transaction.atomic
def start_run(task_pk: int) -> Run | None:
    """Begin the run of an approved task, and ring for a worker.

    Outside its hours it goes to SCH, or stays there, and the sweep comes back when they open.
    The plan is made again from the rows as they are now: where its digest isn't the approved one, the approvals are
    void and the task goes back to PEN with what has changed. A server held by another run lets the task wait.
    None when nothing began.
    """
    task = lock_task(task_pk)
    if task.status not in (TaskStatus.APPROVED, TaskStatus.SCHEDULED):
        return None
    if awaits_change(task):
        begin_change(actor=ACTOR, task_pk=task.pk)
        return None
    if task.is_held:
        _wait(task, _("Approved. It was asked for “%(when)s”: somebody has to start it then."), **task.params)
        return None
    halt = halts_of_institution(task.institution_id).first()
    if halt is not None:
        _wait(task, "%(words)s", words=words_of(halt))
        return None
    try:
        check_hours(task)
    except NotNow as refusal:
        hold_task(task=task, hold=refusal.hold, actor=ACTOR)
        return None
    try:
        check_integrity(task.institution)
    except GateClosed as refusal:
        _wait(task, str(refusal))
        return None
    try:
        plan = _plan_to_run(task)
        content = approved_content(plan) if plan is not None else None
        diff_digest = check_change(task)
        if content is not None:
            check_artefacts(content)
    except (NoPlaybook, PlanRefused, GateClosed) as refusal:
        hand_to_people(task, refusal)
        return None
    if plan is None or content is None:
        return None
    if not hold_hosts_free(task):
        _wait(task, _("Another run holds these servers or others of their group; this one starts after it."))
        return None
    run = _create(task, plan, content, diff_digest)
    transition_task(task=task, by="start", actor=ACTOR, run=run.pk, plan_digest=plan.digest, diff_digest=diff_digest)
    append_event(run, "run_started", waves=content["waves"])
    notify(
        recipients=[task.requester],
        kind="run_started",
        key=f"run:{run.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        hosts=len(content["hosts"]),
    )
    enqueue("execution.tasks.drive_run", run.pk)
    return run


def _plan_to_run(task: OpsTask) -> Plan | None:
    """The approved plan, if it still is what the rows say; None where approval was asked anew."""
    approved = Plan.objects.filter(task=task, digest=approved_digest(task) or "").first()
    if approved is None:
        raise GateClosed(_("Nobody approved a plan for this task."), code="not_approved")
    plan = freeze_plan(task)
    if plan.digest == approved.digest:
        return plan
    _ask_again(task, approved, plan)
    return None


def _create(task: OpsTask, plan: Plan, content: dict[str, Any], diff_digest: str) -> Run:
    servers = {server.hostname: server for server in task.servers.order_by("pk")}
    run = Run.objects.create(task=task, plan=plan, diff_digest=diff_digest)
    EventHead.objects.create(run=run)
    HostLock.objects.bulk_create([HostLock(server=server, run=run) for server in servers.values()])
    for number, hostnames in enumerate(content["waves"], start=1):
        opened_at = now() if number == 1 else None
        wave = Wave.objects.create(run=run, number=number, is_open=number == 1, opened_at=opened_at)
        HostRun.objects.bulk_create([HostRun(wave=wave, server=servers[name]) for name in hostnames])
    return run


def _wait(task: OpsTask, reason: str, **values: object) -> None:
    """Stay as it is and say why; the sweep tries again."""
    OpsTask.objects.filter(pk=task.pk).update(reason=reason % values if values else reason)


def _ask_again(task: OpsTask, approved: Plan, plan: Plan) -> None:
    parts = ", ".join(changed_parts(approved.content, plan.content))
    try:
        with transaction.atomic():  # where nobody can be asked, the round stays: without it the task would be stuck
            void_round(task)
            request_approval(task=task, plan_digest=plan.digest, actor=ACTOR, reason=parts, content=plan.content)
    except NobodyToAsk as refusal:
        _wait(task, str(refusal))
        return
    notify(
        recipients=[task.requester, *holders_of(Role.PM, task.institution_id)],
        kind="plan_voided",
        key=f"{task.task_id}:{plan.digest}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        parts=parts,
    )
