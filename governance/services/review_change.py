from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import ReviewDecision
from governance.exceptions import AlreadyDecided, DigestChanged, ReasonMissing
from governance.models import ApprovalStep, ChangeReview
from governance.services.take_over import hand_to
from governance.services.who import require_judge
from governance.signals import task_approved
from guardia.common.clock import now
from guardia.common.errors import NotVisible
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def review_change(
    *, actor: User, task_id: str, revision: int, digest: str, decision: ReviewDecision, instruction: str = ""
) -> ChangeReview:
    """A PM who didn't file the task judges the diff whose digest the page showed.

    Accepted, the task may run (REV → APP); a rework goes back with the instruction (CHG); taken over, it is the PM's
    to do by hand (MAN). Raises NotVisible, SelfApproval, NotPermitted, AlreadyDecided, NotInThatState, DigestChanged,
    ReasonMissing.
    """
    task = lock_visible_task(task_id, actor)
    require_judge(actor, task)
    change = ChangeReview.objects.select_related("reviewer").filter(task=task, revision=revision).first()
    if change is None:
        raise NotVisible
    if change.decision:
        raise AlreadyDecided(_("Already decided by %(name)s.") % {"name": change.reviewer})
    if task.status != TaskStatus.PENDING_REVIEW:
        raise NotInThatState(current=task.status)
    if digest != change.diff_digest:
        raise DigestChanged
    instruction = instruction.strip()
    if decision != ReviewDecision.ACCEPT and not instruction:
        raise ReasonMissing
    change.decision, change.reviewer, change.reviewed_at, change.instruction = decision, actor, now(), instruction
    change.save()
    record(
        action="change.reviewed",
        actor=actor,
        institution=task.institution,
        subject=change,
        task_id=task.task_id,
        summary=instruction,
        revision=revision,
        decision=decision,
        diff_digest=digest,
    )
    _go_on(task, change, actor)
    return change


def _go_on(task: OpsTask, change: ChangeReview, actor: User) -> None:
    if change.decision == ReviewDecision.TAKE_OVER:
        hand_to(task, actor, change.instruction)
    elif change.decision == ReviewDecision.REWORK:
        transition_task(task=task, by="prepare_change", actor=actor, reason=change.instruction)
    else:
        transition_task(task=task, by="accept_change", actor=actor, diff_digest=change.diff_digest)
        transaction.on_commit(lambda: task_approved.send(ApprovalStep, task_pk=task.pk))
    if change.decision != ReviewDecision.TAKE_OVER:
        notify(
            recipients=[task.requester],
            kind="change_reviewed",
            key=f"change:{change.pk}",
            link=f"/tasks/{task.task_id}/",
            task=task.task_id,
            revision=change.revision,
            actor=actor,
        )
