"""Approval steps are locked after their task (`tickets.locks`), here for the acts of the person who is asked."""

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.scope import visible_to
from governance.choices import StepStatus
from governance.exceptions import NotYourTurn
from governance.models import ApprovalStep
from guardia.common.errors import NotVisible, StaleState
from tickets.locks import lock_task


def lock_asked_step(step_pk: int, actor: User) -> ApprovalStep:
    """The pending step that waits for the actor, locked, with its task (`step.round.task`) locked before it.

    Raises NotVisible, StaleState (it doesn't wait any more) or NotYourTurn, which says who is asked.
    """
    visible = visible_to(ApprovalStep.objects.select_related("round"), actor).filter(pk=step_pk).first()
    if visible is None:
        raise NotVisible
    task = lock_task(visible.round.task_id)
    step = ApprovalStep.objects.select_for_update(of=("self",)).select_related("round", "approver").get(pk=step_pk)
    step.round.task = task
    if step.status != StepStatus.PENDING:
        raise StaleState(_("This step doesn't wait for a decision now: %(status)s.") % {"status": _status(step)})
    if not actor.is_active or actor.pk != step.approver_id:
        raise NotYourTurn(_("%(name)s is asked for this step.") % {"name": step.approver})
    return step


def _status(step: ApprovalStep) -> str:
    return str(StepStatus(step.status).label)
