"""Approved work that waits for its hour, and the PM's say on when and in which order."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit.refusals import refusals_recorded
from audit.services import record
from governance.calendar import SEARCH_DAYS
from governance.exceptions import ReasonMissing
from governance.selectors_windows import Hold
from governance.services.who import require_pm
from governance.signals import task_approved
from guardia.common.canonical import moment_text
from guardia.common.clock import now
from guardia.common.errors import InvalidInput
from tickets.choices import Priority, TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_visible_task
from tickets.models import OpsTask
from tickets.services.transition_task import transition_task

#: What has not begun yet can be put off and put in order.
NOT_BEGUN = (TaskStatus.PARSED, TaskStatus.PENDING_APPROVAL, TaskStatus.APPROVED, TaskStatus.SCHEDULED)


def hold_task(*, task: OpsTask, hold: Hold, actor: str) -> None:
    """Let a locked, approved task wait: APP → SCH with the reason and the expected start, or these anew in SCH."""
    task.expected_start = hold.opens_at
    if task.status == TaskStatus.APPROVED:
        expected = moment_text(hold.opens_at) if hold.opens_at else ""
        transition_task(
            task=task, by="schedule", actor=actor, reason=str(hold), kind=hold.kind, expected_start=expected
        )
        return
    task.reason = str(hold)
    task.save(update_fields=["reason", "expected_start", "changed_at"])


@refusals_recorded
@transaction.atomic
def run_later(*, actor: User, task_id: str, scheduled_for: datetime | None) -> OpsTask:
    """A PM says not before when the task runs (aware), or takes that back (None). The windows hold all the same.

    Raises NotVisible, NotPermitted, NotInThatState, InvalidInput.
    """
    task = _for_pm(actor, task_id)
    latest = now() + timedelta(days=SEARCH_DAYS)
    if scheduled_for is not None and not now() < scheduled_for < latest:
        raise InvalidInput(_("Please give a time in the next %(days)s days.") % {"days": SEARCH_DAYS})
    task.scheduled_for, task.expected_start = scheduled_for, None
    if scheduled_for is not None and actor.pk != task.requester_id:
        task.is_held = False  # the time that the text asked for is named now: nobody has to start it by hand
    task.save(update_fields=["scheduled_for", "expected_start", "is_held", "changed_at"])
    record(
        action="task.run_later",
        actor=actor,
        institution=task.institution,
        subject=task,
        task_id=task.task_id,
        scheduled_for=moment_text(scheduled_for) if scheduled_for else "",
    )
    transaction.on_commit(lambda: task_approved.send(OpsTask, task_pk=task.pk))
    return task


@refusals_recorded
@transaction.atomic
def set_priority(*, actor: User, task_id: str, priority: Priority, reason: str) -> OpsTask:
    """A PM puts a task before or behind others. Raises NotVisible, NotPermitted, NotInThatState, ReasonMissing."""
    task = _for_pm(actor, task_id)
    if not reason.strip():
        raise ReasonMissing
    before, task.priority = task.priority, priority
    task.save(update_fields=["priority", "changed_at"])
    record(
        action="task.priority_set",
        actor=actor,
        institution=task.institution,
        subject=task,
        task_id=task.task_id,
        summary=reason,
        **{"from": before, "to": int(priority)},
    )
    return task


def _for_pm(actor: User, task_id: str) -> OpsTask:
    task = lock_visible_task(task_id, actor)
    require_pm(actor, task)
    if task.status not in NOT_BEGUN:
        raise NotInThatState(current=task.status)
    return task
