from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.exceptions import ProofMissing
from accounts.identity import IdentityProof
from accounts.models import User
from accounts.scope import visible_to
from accounts.who import named, who_hold
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import Decision, StepStatus
from governance.exceptions import (
    AlreadyDecided,
    DigestChanged,
    NotYourTurn,
    ReasonMissing,
    SecondApproval,
    SelfApproval,
    ViewerOnly,
)
from governance.ladder import Roster
from governance.models import ApprovalStep
from governance.selectors import may_decide, needs_proof, still_holds
from governance.services.approve_round import approve_round
from governance.services.ask_next_step import ask_next_step
from governance.services.bastion import require_bastion
from governance.services.open_step import deciders_of
from guardia.common.errors import NotVisible
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.locks import lock_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def decide_step(
    *,
    actor: User,
    step_pk: int,
    decision: Decision,
    digest: str,
    channel: str,
    comment: str = "",
    proof: IdentityProof | None = None,
) -> ApprovalStep:
    """Decide one approval step. `digest` is that of the plan the actor was shown; `proof` that they showed again who
    they are, which work of high risk needs.

    Raises NotVisible, OutsideBastion, SelfApproval, NotYourTurn, SecondApproval, AlreadyDecided, DigestChanged,
    ReasonMissing, ProofMissing; nothing changes then.
    """
    visible = visible_to(ApprovalStep.objects.select_related("round"), actor).filter(pk=step_pk).first()
    if visible is None:
        raise NotVisible
    task = lock_task(visible.round.task_id)
    require_bastion(actor=actor, institution=task.institution)
    step = ApprovalStep.objects.select_for_update(of=("self",)).select_related("round", "approver").get(pk=step_pk)
    _check(step, task, actor, digest, decision, comment)
    if (needs_proof(task) or step.needs_reauthentication) and (proof is None or not proof.holds_for(actor)):
        raise ProofMissing
    decide = step.approve if decision == Decision.APPROVE else step.reject
    decide(by=actor, digest=digest, channel=channel, comment=comment)
    step.save()
    record(
        action=f"approval.{step.status.lower()}",
        actor=actor,
        institution=task.institution,
        subject=step,
        task_id=task.task_id,
        summary=comment,
        order=step.order,
        role=step.role,
        asked=actor.get_username(),
        plan_digest=digest,
        decided_in=channel,
        proved_by=proof.method if proof is not None else "",
    )
    _go_on(step, task, actor, decision, comment)
    return step


def _check(step: ApprovalStep, task: OpsTask, actor: User, digest: str, decision: Decision, comment: str) -> None:
    _check_open(step, task)
    _check_person(step, task, actor)
    if step.status != StepStatus.PENDING:
        before = step.round.steps.filter(status=StepStatus.PENDING).select_related("approver").first()
        name = before.asked_person if before is not None else "Guardia"
        raise NotYourTurn(
            _("It is not this step's turn. %(name)s is asked before.") % {"name": name}, code="not_its_turn"
        )
    if digest != step.round.plan_digest:
        raise DigestChanged
    if decision == Decision.REJECT and not comment.strip():
        raise ReasonMissing


def _check_open(step: ApprovalStep, task: OpsTask) -> None:
    if step.status == StepStatus.EXPIRED:
        raise AlreadyDecided(_("Nobody answered in time, so the task was rejected. The requester can file it again."))
    if step.status in (StepStatus.APPROVED, StepStatus.REJECTED):
        raise AlreadyDecided(_("Already decided by %(name)s.") % {"name": step.decided_by or "Guardia"})
    if step.status == StepStatus.VOID and task.status == TaskStatus.WITHDRAWN:
        raise AlreadyDecided(_("Already withdrawn by %(name)s.") % {"name": task.requester}, code="withdrawn")
    if step.status == StepStatus.VOID:
        raise AlreadyDecided(_("This round is over: open the task and look at what waits now."), code="round_over")


def _check_person(step: ApprovalStep, task: OpsTask, actor: User) -> None:
    asked = {"name": step.approver or "Guardia"}
    if actor.pk in task.author_ids:
        raise SelfApproval(_("Nobody approves their own request. %(name)s is asked.") % asked)
    if not actor.is_active or actor.pk != step.approver_id:
        raise NotYourTurn(_("%(name)s is asked for this step.") % asked)
    if not may_decide(actor, task):
        raise ViewerOnly(
            _("You may look on, but not decide. An administrator can make you an approver: %(names)s.")
            % {"names": who_hold([Role.ADMINISTRATOR], task.institution_id)}
        )
    if step.round.steps.filter(decided_by=actor).exists():
        raise SecondApproval(
            _("You have already decided another step of this task. Each step needs another person: %(names)s.")
            % {"names": _others(step, task, actor)}
        )
    if not still_holds(actor, step, task):
        raise NotYourTurn(
            _("You no longer hold the role that this step asks. These people could: %(names)s.")
            % {"names": _others(step, task, actor)},
            code="role_lost",
        )


def _others(step: ApprovalStep, task: OpsTask, actor: User) -> str:
    barred = {*task.author_ids, actor.pk, *deciders_of(step.round)}
    return named(Roster.load(task.institution_id).others(step.role, task.system_id, barred))


def _go_on(step: ApprovalStep, task: OpsTask, actor: User, decision: Decision, comment: str) -> None:
    """To the next step, to approved, or to rejected."""
    round_ = step.round
    if decision == Decision.REJECT:
        for other in round_.steps.filter(status=StepStatus.WAITING):
            other.void()
            other.save()
        round_.reject()
        round_.save()
        transition_task(task=task, by="reject", actor=actor, reason=comment)
        notify(
            recipients=[task.requester],
            kind="task_rejected",
            key=f"round:{round_.pk}",
            link=f"/tasks/{task.task_id}/",
            task=task.task_id,
            actor=actor,
            reason=comment,
        )
    elif ask_next_step(round_) is None:
        approve_round(round_=round_, task=task, actor=actor)
