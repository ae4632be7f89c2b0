"""The ends of a task that the engine didn't bring to its own."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.models import User
from audit.refusals import refusals_recorded
from governance.exceptions import EvidenceMissing, OwnWork, ReasonMissing
from governance.selectors import has_evidence, holder_of, may_have_run, workers_by_hand
from governance.services.who import require_judge, require_pm, who_could
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task


@refusals_recorded
@transaction.atomic
def close_by_hand(*, actor: User, task_id: str, comment: str = "") -> OpsTask:
    """A PM who neither filed the task nor worked on it accepts the work done by hand: MAN → COM.

    Raises NotVisible, SelfApproval, NotPermitted, NotInThatState, EvidenceMissing, OwnWork.
    """
    task = lock_visible_task(task_id, actor)
    require_judge(actor, task)
    if task.status != TaskStatus.MANUAL:
        raise NotInThatState(current=task.status)
    workers = workers_by_hand(task)
    if not has_evidence(task):
        raise EvidenceMissing(_no_evidence(task))
    if actor.pk in workers:
        names = who_could([Role.PM], task, but={*workers, *task.author_ids})
        raise OwnWork(_("Nobody accepts work of their own hands. %(names)s can.") % {"names": names})
    reason = _("Closed by hand.") + (f" {comment.strip()}" if comment.strip() else "")
    records = list(task.manual_records.values_list("pk", flat=True))
    transition_task(task=task, by="close_by_hand", actor=actor, reason=reason, records=records)
    _tell(task, "closed_by_hand", actor, reason)
    return task


@refusals_recorded
@transaction.atomic
def close_not_done(*, actor: User, task_id: str, reason: str) -> OpsTask:
    """A PM closes a task that won't be done: a failed one stays ERR, one that never was approved becomes REJ.

    A task in MAN that may have touched servers is closed by hand instead, with evidence of how they stand. Raises
    NotVisible, NotPermitted, NotInThatState, ReasonMissing, EvidenceMissing.
    """
    task = lock_visible_task(task_id, actor)
    require_pm(actor, task)
    if not reason.strip():
        raise ReasonMissing
    if task.status not in (TaskStatus.FAILED, TaskStatus.MANUAL):
        raise NotInThatState(current=task.status)
    if task.status == TaskStatus.MANUAL and may_have_run(task):
        raise EvidenceMissing(_no_evidence(task))
    by = "drop" if task.status == TaskStatus.MANUAL else "close_not_done"
    said = _("Closed without being done: %(reason)s") % {"reason": reason.strip()}
    transition_task(task=task, by=by, actor=actor, reason=said)
    _tell(task, "closed_not_done", actor, reason.strip())
    return task


def _no_evidence(task: OpsTask) -> str:
    holder = holder_of(task)
    if holder is None:
        return _("Servers may have been touched: somebody takes the task over and records how they stand first.")
    message = _("It closes only with evidence: %(name)s records the work with a file or a command log first.")
    return message % {"name": holder}


def _tell(task: OpsTask, kind: str, actor: User, reason: str) -> None:
    people = {row.person for row in task.takeovers.select_related("person")}
    notify(
        recipients=[task.requester, *people],
        kind=kind,
        key=task.task_id,
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        title=task.title,
        actor=actor,
        reason=reason,
    )
