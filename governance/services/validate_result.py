from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from audit.refusals import refusals_recorded
from governance.choices import ReviewDecision, StepRole
from governance.exceptions import ReasonMissing
from governance.models import ResultReview
from governance.selectors import needs_change, people_for
from governance.services.plan_again import back_to_planning
from governance.services.take_over import hand_to
from governance.services.who import require_judge, who_could
from guardia.common.errors import NotPermitted
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.file_task import attach
from tickets.services.store_artefact import store_artefact
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def validate_result(
    *, actor: User, task_id: str, decision: ReviewDecision, comment: str = "", artefact: UploadedFile | None = None
) -> ResultReview:
    """A PM accepts a run's result (COM), sends it back with an instruction, or takes it over by hand (MAN).

    A rework is planned and approved anew (PAR), with the instruction in the plan and `artefact` in place of the old
    file: the PM is its author from then on, and another one approves and judges it. Work that changes code goes to
    the change's preparation (CHG) instead, its scope stays approved.

    Raises NotVisible, OutsideBastion, SelfApproval, NotPermitted, NotInThatState, ReasonMissing, ArtefactTooLarge.
    """
    task = lock_visible_task(task_id, actor)
    require_judge(actor, task)
    if task.status != TaskStatus.PENDING_VALIDATION:
        raise NotInThatState(current=task.status)
    comment = comment.strip()
    if decision != ReviewDecision.ACCEPT and not comment:
        raise ReasonMissing
    if decision == ReviewDecision.REWORK and artefact is not None:
        _require_another_judge(actor, task)
        attach(task, store_artefact(artefact), by=actor)
    review = ResultReview.objects.create(task=task, reviewer=actor, decision=decision, comment=comment)
    if decision == ReviewDecision.TAKE_OVER:
        hand_to(task, actor, comment)
        return review
    if decision == ReviewDecision.ACCEPT:
        transition_task(task=task, by="complete", actor=actor, reason=comment)
    else:
        _rework(task, actor, comment)
    notify(
        recipients=[task.requester],
        kind="task_completed" if decision == ReviewDecision.ACCEPT else "rework_requested",
        key=f"review:{review.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        title=task.title,
        actor=actor,
        reason=comment,
    )
    return review


def _require_another_judge(actor: User, task: OpsTask) -> None:
    """Who brings the file doesn't approve it, nor judge its result: without another PM the task would be stuck."""
    if not any(pm.pk not in (actor.pk, task.requester_id) for pm in people_for(StepRole.PM, task)):
        admins = who_could([Role.ADMINISTRATOR], task, but={actor.pk})
        raise NotPermitted(
            _(
                "Another project manager would have to judge the file you bring. "
                "An administrator can name one: %(names)s."
            )
            % {"names": admins}
        )


def _rework(task: OpsTask, actor: User, instruction: str) -> None:
    if needs_change(task):
        transition_task(task=task, by="prepare_change", actor=actor, reason=instruction)
    else:
        back_to_planning(task, actor, instruction)
