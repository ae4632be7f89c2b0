from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import TAKEABLE
from governance.exceptions import ReasonMissing
from governance.models import Takeover
from governance.selectors import holder_of
from governance.services.who import require_hand
from governance.signals import task_taken_over
from guardia.common.errors import StaleState
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def take_over(*, actor: User, task_id: str, reason: str) -> Takeover:
    """A PM or operator does the rest of a task by hand: it is MAN from then on, and theirs until another takes it.

    Raises NotVisible, NotPermitted, NotInThatState, ReasonMissing, StaleState (it is the actor's already).
    """
    task = lock_visible_task(task_id, actor)
    require_hand(actor, task)
    if task.status not in TAKEABLE or task.closed_at is not None:
        raise NotInThatState(current=task.status)
    if not reason.strip():
        raise ReasonMissing
    if task.status == TaskStatus.MANUAL and holder_of(task) == actor:
        raise StaleState(_("You have taken this task over already."))
    return hand_to(task, actor, reason.strip())


def hand_to(task: OpsTask, actor: User, reason: str) -> Takeover:
    """Put a locked task into the hands of `actor`, who was found to be allowed to, and tell the requester."""
    takeover = Takeover.objects.create(task=task, person=actor, reason=reason, came_from=task.status)
    if task.status != TaskStatus.MANUAL:
        transition_task(task=task, by="hand_over", actor=actor, reason=reason)
    record(
        action="manual.taken_over",
        actor=actor,
        institution=task.institution,
        subject=takeover,
        task_id=task.task_id,
        summary=reason,
        came_from=takeover.came_from,
    )
    notify(
        recipients=[task.requester],
        kind="taken_over",
        key=f"takeover:{takeover.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=actor,
        reason=reason,
    )
    transaction.on_commit(lambda: task_taken_over.send(OpsTask, task_pk=task.pk))
    return takeover
