from governance.choices import Level
from governance.ladder import Roster, Rung
from governance.models import ApprovalRound, ApprovalStep
from governance.services.expire_steps import expire_steps
from governance.timer import restart_timer
from notifications.models import Notification
from notifications.services import drafts, send
from tickets.models import OpsTask


def open_step(step: ApprovalStep) -> None:
    """Ask for a waiting step of a locked task: its person, or who stands in for them while they are away.

    Where nobody can be reached the step expires at once, and its task is rejected.
    """
    task = step.round.task
    roster = Roster.load(task.institution_id)
    rung = roster.reachable(
        step.role,
        task.system_id,
        original_id=step.original_owner_id or 0,
        barred={*task.author_ids, *deciders_of(step.round)},
    )
    step.ask()
    if rung is not None:
        step.approver, step.escalation_level = rung.person, rung.level
    step.save()
    if rung is None:
        expire_steps([(step, task)])
        return
    restart_timer(step, roster.sla_minutes(task.system_id))
    send(invitation(step, task, rung))


def deciders_of(round_: ApprovalRound) -> set[int]:
    """Ids of those who have decided a step of this round: each decides one."""
    rows = round_.steps.exclude(decided_by=None).values_list("decided_by_id", flat=True)
    return {pk for pk in rows if pk is not None}


def invitation(step: ApprovalStep, task: OpsTask, rung: Rung) -> list[Notification]:
    """What the person of a level is told; the supervisor's is marked urgent."""
    stands_in = rung.person.pk != step.original_owner_id
    kind = "approval_escalated" if stands_in else "approval_requested"
    return drafts(
        recipients=[rung.person],
        kind="approval_urgent" if rung.level == Level.SUPERVISOR else kind,
        key=f"step:{step.pk}:{rung.level}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        title=task.title,
        name=step.original_owner,
    )
