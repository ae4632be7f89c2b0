from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import User
from audit.refusals import refusals_recorded
from governance.choices import ReviewDecision
from governance.exceptions import ReasonMissing
from governance.models import ResultReview
from governance.selectors import needs_change
from governance.services.plan_again import back_to_planning
from governance.services.take_over import hand_to
from governance.services.who import require_judge
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
    file; work that changes code goes to the change's preparation (CHG) instead, its scope stays approved. Raises
    NotVisible, OutsideBastion, SelfApproval, NotPermitted, NotInThatState, ReasonMissing, ArtefactTooLarge.
    """
    task = lock_visible_task(task_id, actor)
    require_judge(actor, task)
    if task.status != TaskStatus.PENDING_VALIDATION:
        raise NotInThatState(current=task.status)
    comment = comment.strip()
    if decision != ReviewDecision.ACCEPT and not comment:
        raise ReasonMissing
    if decision == ReviewDecision.REWORK and artefact is not None:
        attach(task, store_artefact(artefact))
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


def _rework(task: OpsTask, actor: User, instruction: str) -> None:
    if needs_change(task):
        transition_task(task=task, by="prepare_change", actor=actor, reason=instruction)
    else:
        back_to_planning(task, actor, instruction)
