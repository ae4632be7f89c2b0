"""One task in spite of one freeze: asked for by its requester or a PM, granted by somebody else of rank."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Authority, Role
from accounts.models import User
from accounts.scope import holders_of, holds_role, visible_to
from accounts.who import named
from audit.refusals import refusals_recorded
from audit.services import record
from governance.choices import Decision, ExceptionStatus
from governance.exceptions import AlreadyDecided, ReasonMissing, SelfApproval
from governance.models import Freeze, FreezeException
from governance.selectors_windows import hours_of_tasks
from governance.services.bastion import require_bastion
from governance.services.who import who_could
from governance.signals import task_approved
from guardia.common.errors import NotPermitted, NotVisible, StaleState
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.locks import lock_task, lock_visible_task
from tickets.models import OpsTask

DECIDERS = (Role.SECURITY_OFFICER, Role.ADMINISTRATOR)
#: States in which a task may still be held by a freeze; in EXE it is the next wave.
_HELD_IN = (TaskStatus.PENDING_APPROVAL, TaskStatus.APPROVED, TaskStatus.SCHEDULED, TaskStatus.EXECUTING)


@refusals_recorded
@transaction.atomic
def request_freeze_exception(*, actor: User, task_id: str, freeze_pk: int, reason: str) -> FreezeException:
    """Ask that this task may go on in spite of this freeze. The requester or a PM of the institution.

    Raises NotVisible, NotPermitted, ReasonMissing, StaleState (nothing to ask for, or already asked).
    """
    task = lock_visible_task(task_id, actor)
    if actor.pk != task.requester_id and not holds_role(actor, Role.PM, task.institution_id):
        names = named([task.requester]) + ", " + who_could([Role.PM], task, but={actor.pk})
        raise NotPermitted(_("The requester or a project manager can ask for this: %(names)s.") % {"names": names})
    require_bastion(actor=actor, institution=task.institution)
    if not reason.strip():
        raise ReasonMissing
    freeze = _freeze_of(task, freeze_pk)
    living = FreezeException.objects.filter(freeze=freeze, task=task).exclude(status=ExceptionStatus.REFUSED)
    if living.exists():
        raise StaleState(_("This was already asked for."))
    row = FreezeException.objects.create(freeze=freeze, task=task, reason=reason, requested_by=actor)
    _record(row, task, actor, "freeze_exception.requested", reason)
    notify(
        recipients=deciders_of(row, task),
        kind="freeze_exception_requested",
        key=f"exception:{row.pk}",
        link=f"/tasks/{task.task_id}/#waiting",
        task=task.task_id,
        freeze=freeze.name,
        reason=reason,
    )
    return row


@refusals_recorded
@transaction.atomic
def decide_freeze_exception(
    *, actor: User, task_id: str, exception_pk: int, decision: Decision, comment: str = ""
) -> FreezeException:
    """Grant or refuse. A security officer or administrator who neither filed the task nor asked for the exception.

    Raises NotVisible, OutsideBastion, SelfApproval, NotPermitted, AlreadyDecided, ReasonMissing.
    """
    rows = FreezeException.objects.filter(pk=exception_pk, task__task_id=task_id)
    visible = visible_to(rows, actor).first()
    if visible is None:
        raise NotVisible
    task = lock_task(visible.task_id)
    require_bastion(actor=actor, institution=task.institution)
    row = (
        FreezeException.objects.select_for_update(of=("self",))
        .select_related("freeze", "decided_by")
        .get(pk=exception_pk)
    )
    if row.status != ExceptionStatus.REQUESTED:
        raise AlreadyDecided(_("Already decided by %(name)s.") % {"name": row.decided_by})
    if not may_decide(actor, row, task):
        is_own = actor.pk in (*task.author_ids, row.requested_by_id)
        names = named(deciders_of(row, task))
        raise (SelfApproval if is_own else NotPermitted)(
            _("A security officer or administrator who has no part in it decides this: %(names)s.") % {"names": names}
        )
    if decision == Decision.REJECT and not comment.strip():
        raise ReasonMissing
    decide = row.grant if decision == Decision.APPROVE else row.refuse
    decide(by=actor, comment=comment)
    row.save()
    _record(row, task, actor, f"freeze_exception.{row.status.lower()}", comment)
    notify(
        recipients=[row.requested_by, task.requester],
        kind=f"freeze_exception_{row.status.lower()}",
        key=f"exception:{row.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        freeze=row.freeze.name,
        actor=actor,
        reason=comment,
    )
    if row.status == ExceptionStatus.GRANTED:
        OpsTask.objects.filter(pk=task.pk).update(expected_start=None)
        transaction.on_commit(lambda: task_approved.send(FreezeException, task_pk=task.pk))
    return row


def may_decide(user: User, row: FreezeException, task: OpsTask) -> bool:
    """Somebody of rank who has no part in it."""
    has_part = user.pk in (*task.author_ids, row.requested_by_id)
    return not has_part and holds_role(user, DECIDERS, task.institution_id, authority=Authority.APPROVER)


def deciders_of(row: FreezeException, task: OpsTask) -> list[User]:
    holders = [holders_of(role, task.institution_id, authority=Authority.APPROVER) for role in DECIDERS]
    people = {user.pk: user for users in holders for user in users}
    return [user for user in people.values() if user.pk not in (*task.author_ids, row.requested_by_id)]


def _freeze_of(task: OpsTask, freeze_pk: int) -> Freeze:
    """A freeze that concerns the task, now or later. Raises NotVisible, or StaleState where the task waits no more."""
    if task.status not in _HELD_IN:
        raise StaleState
    for freeze in hours_of_tasks([task])[task.pk].freezes:
        if freeze.pk == freeze_pk:
            return freeze
    raise NotVisible


def _record(row: FreezeException, task: OpsTask, actor: User, action: str, words: str) -> None:
    record(
        action=action,
        actor=actor,
        institution=task.institution,
        subject=row,
        task_id=task.task_id,
        summary=words,
        freeze=row.freeze_id,
        freeze_name=row.freeze.name,
    )
