from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.who import named
from audit.refusals import refusals_recorded
from audit.services import record
from governance.exceptions import NotEligible, ReasonMissing
from governance.ladder import Roster
from governance.locks import lock_asked_step
from governance.models import ApprovalStep
from governance.services.bastion import require_bastion
from governance.services.open_step import deciders_of
from governance.timer import restart_timer
from notifications.services import notify


@refusals_recorded
@transaction.atomic
def reassign_step(*, actor: User, step_pk: int, to: User, reason: str) -> ApprovalStep:
    """Hand the step that waits for the actor to another person who may decide it; their time begins anew.

    Raises NotVisible, StaleState, NotYourTurn, OutsideBastion, ReasonMissing, NotEligible (with who could).
    """
    step = lock_asked_step(step_pk, actor)
    require_bastion(actor=actor, institution=step.round.task.institution)
    if not reason.strip():
        raise ReasonMissing
    task = step.round.task
    roster = Roster.load(task.institution_id)
    barred = {*task.author_ids, actor.pk, *deciders_of(step.round)}
    others = roster.others(step.role, task.system_id, barred)
    if to not in others:
        raise NotEligible(
            _("That person can't decide this step now. These people could: %(names)s.") % {"names": named(others)}
        )
    step.approver = to
    step.save(update_fields=["approver"])
    if not step.questions.filter(answered_at=None).exists():  # else it begins with the requester's answer
        restart_timer(step, roster.sla_minutes(task.system_id))
    entry = record(
        action="approval.reassigned",
        actor=actor,
        institution=task.institution,
        subject=step,
        task_id=task.task_id,
        summary=reason,
        order=step.order,
        role=step.role,
        asked=to.get_username(),
    )
    notify(
        recipients=[to],
        kind="approval_reassigned",
        key=f"entry:{entry.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        actor=actor,
        reason=reason,
    )
    return step
