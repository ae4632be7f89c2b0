"""The end of a step that nobody answered: its round and its task are rejected with that reason."""

from collections.abc import Sequence

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from audit.services import Draft, record_across
from governance.choices import RoundStatus, StepStatus
from governance.models import ApprovalRound, ApprovalStep
from guardia.common.clock import now
from notifications.models import Notification
from notifications.services import drafts, send
from tickets.choices import TaskStatus
from tickets.models import OpsTask

ACTOR = "guardia"


def expire_steps(expired: Sequence[tuple[ApprovalStep, OpsTask]]) -> None:
    """Reject the locked tasks whose pending, locked steps nobody is left to answer.

    The transitions guard each row; what they write is the same for all and goes to the database at once.
    """
    if not expired:
        return
    reason = _("Nobody answered: neither the owner nor the deputy nor the supervisor decided in time.")
    for step, task in expired:
        step.expire(reason)
        step.round.reject()
        task.reject(reason)
    steps, tasks = [step.pk for step, _task in expired], [task.pk for _step, task in expired]
    rounds = [step.round_id for step, _task in expired]
    ApprovalStep.objects.filter(pk__in=steps).update(status=StepStatus.EXPIRED, decided_at=Now(), comment=reason)
    ApprovalStep.objects.filter(round__in=rounds, status=StepStatus.WAITING).update(status=StepStatus.VOID)
    ApprovalRound.objects.filter(pk__in=rounds).update(status=RoundStatus.REJECTED)
    OpsTask.objects.filter(pk__in=tasks).update(
        status=TaskStatus.REJECTED, reason=reason, closed_at=Now(), changed_at=now()
    )
    record_across((task.institution, draft) for step, task in expired for draft in _entries(step, task, reason))
    send([message for step, task in expired for message in _news(step, task, reason)])


def _entries(step: ApprovalStep, task: OpsTask, reason: str) -> list[Draft]:
    facts = {"order": step.order, "role": step.role, "level": step.escalation_level}
    moved = {"from": TaskStatus.PENDING_APPROVAL.value, "to": TaskStatus.REJECTED.value}
    return [
        Draft(
            "approval.expired",
            ACTOR,
            step,
            task.task_id,
            reason,
            {**facts, "asked": step.asked_person.get_username()},
        ),
        Draft("task.rejected", ACTOR, task, task.task_id, reason, moved),
    ]


def _news(step: ApprovalStep, task: OpsTask, reason: str) -> list[Notification]:
    return drafts(
        recipients=[task.requester],
        kind="task_rejected",
        key=f"round:{step.round_id}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor="Guardia",
        reason=reason,
    )
