from django.db import transaction

from accounts.models import User
from audit.refusals import refusals_recorded
from governance.exceptions import ReasonMissing
from governance.services.void_round import void_round
from governance.services.who import require_pm
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task
from tickets.signals import task_parsed


@refusals_recorded
@transaction.atomic
def plan_again(*, actor: User, task_id: str, reason: str) -> OpsTask:
    """A PM lets a failed task (ERR), or one that waits for people (MAN), be planned and approved anew.

    Raises NotVisible, NotPermitted, NotInThatState, ReasonMissing.
    """
    task = lock_visible_task(task_id, actor)
    require_pm(actor, task)
    if not reason.strip():
        raise ReasonMissing
    if task.status not in (TaskStatus.FAILED, TaskStatus.MANUAL):
        raise NotInThatState(current=task.status)
    back_to_planning(task, actor, reason.strip())
    notify(
        recipients=[task.requester],
        kind="planned_again",
        key=f"{task.task_id}:{task.rounds.count()}:{task.changed_at.timestamp()}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=actor,
        reason=reason.strip(),
    )
    return task


def back_to_planning(task: OpsTask, actor: User, reason: str) -> None:
    """Take a locked task to PAR and end its round: what was approved has run, and doesn't run again unasked."""
    void_round(task)
    transition_task(task=task, by="plan_again", actor=actor, reason=reason)
    transaction.on_commit(lambda: task_parsed.send(OpsTask, task_pk=task.pk))
