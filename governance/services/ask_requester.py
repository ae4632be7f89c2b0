"""An approver wants to know something first: the requester is asked, and the step's timer stands until the answer."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import StepStatus
from governance.exceptions import AlreadyAsked, NothingAsked, ReasonMissing
from governance.ladder import Roster
from governance.locks import lock_asked_step
from governance.models import ApprovalStep, StepQuestion
from governance.services.bastion import require_bastion
from governance.timer import restart_timer, stop_timer
from guardia.common.clock import now
from guardia.common.errors import NotPermitted
from notifications.services import notify
from tickets.intake_log import heard
from tickets.locks import lock_visible_task


@refusals_recorded
@transaction.atomic
def ask_requester(*, actor: User, step_pk: int, question: str) -> StepQuestion:
    """Ask the requester about the step that waits for the actor.

    Raises NotVisible, StaleState, NotYourTurn, ReasonMissing (no words), AlreadyAsked.
    """
    step = lock_asked_step(step_pk, actor)
    require_bastion(actor=actor, institution=step.round.task.institution)
    if not question.strip():
        raise ReasonMissing
    task = step.round.task
    if step.questions.filter(answered_at=None).exists():
        raise AlreadyAsked(_("%(name)s has not answered the last question yet.") % {"name": task.requester})
    asked = StepQuestion.objects.create(step=step, asker=actor, question=question.strip())
    stop_timer(step)
    record(
        action="approval.question_asked",
        actor=actor,
        institution=task.institution,
        subject=step,
        task_id=task.task_id,
        summary=asked.question,
        order=step.order,
    )
    notify(
        recipients=[task.requester],
        kind="question_asked",
        key=f"question:{asked.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=actor,
        question=asked.question,
    )
    return asked


def restart_forsaken_timers() -> int:
    """Steps that stand for an answer while their approver has left: nobody could go on with them if the requester
    never answers, so they are due now. Returns how many."""
    forsaken = ApprovalStep.objects.filter(status=StepStatus.PENDING, due_at=None, approver__is_active=False)
    return forsaken.update(due_at=Now())


@heard("answer", words="answer")
@transaction.atomic
def answer_question(*, actor: User, task_id: str, answer: str) -> StepQuestion:
    """Answer the open question about the actor's own task; the step's time begins anew.

    Raises NotVisible, NotPermitted, NothingAsked, ReasonMissing (no words).
    """
    task = lock_visible_task(task_id, actor)
    if actor.pk != task.requester_id:
        raise NotPermitted(_("Only %(name)s, who filed the task, can answer.") % {"name": task.requester})
    asked = (
        StepQuestion.objects.select_for_update(of=("self",))
        .select_related("step__approver")
        .filter(step__round__task=task, step__status="PENDING", answered_at=None)
        .first()
    )
    if asked is None:
        raise NothingAsked
    if not answer.strip():
        raise ReasonMissing
    asked.answer, asked.answered_at = answer.strip(), now()
    asked.save(update_fields=["answer", "answered_at"])
    restart_timer(asked.step, Roster.load(task.institution_id).sla_minutes(task.system_id))
    record(
        action="approval.question_answered",
        actor=actor,
        institution=task.institution,
        subject=asked.step,
        task_id=task.task_id,
        summary=asked.answer,
        order=asked.step.order,
    )
    notify(
        recipients=[asked.step.asked_person],
        kind="question_answered",
        key=f"question:{asked.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=actor,
        answer=asked.answer,
    )
    return asked
