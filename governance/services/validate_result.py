from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holders_of
from governance.exceptions import ReasonMissing, SelfApproval
from governance.models import ResultReview
from governance.selectors import may_validate
from governance.services.bastion import refusals_recorded, require_bastion
from guardia.common.errors import NotPermitted
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def validate_result(*, actor: User, task_id: str, is_accepted: bool, comment: str = "") -> ResultReview:
    """A PM accepts a run's result (the task is completed, the requester told) or hands it to people with a reason.

    Raises NotVisible, OutsideBastion, SelfApproval, NotPermitted, NotInThatState, ReasonMissing.
    """
    task = lock_visible_task(task_id, actor)
    require_bastion(actor=actor, institution=task.institution)
    if actor.pk == task.requester_id:
        raise SelfApproval
    if not may_validate(actor, task):
        names = ", ".join(str(pm) for pm in holders_of(Role.PM, task.institution_id)[:3])
        raise NotPermitted(_("A project manager validates the result: %(names)s.") % {"names": names or "-"})
    if task.status != TaskStatus.PENDING_VALIDATION:
        raise NotInThatState(current=task.status)
    if not is_accepted and not comment.strip():
        raise ReasonMissing
    review = ResultReview.objects.create(task=task, reviewer=actor, is_accepted=is_accepted, comment=comment)
    transition_task(task=task, by="complete" if is_accepted else "hand_over", actor=actor, reason=comment)
    notify(
        recipients=[task.requester],
        kind="task_completed" if is_accepted else "rework_requested",
        key=f"review:{review.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        title=task.title,
        actor=actor,
        reason=comment,
    )
    return review
