import hashlib
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.choices import Role
from accounts.scope import holders_of
from audit.services import record
from governance.models import ChangeReview
from governance.selectors import awaits_change
from guardia.common.canonical import canonical_bytes
from guardia.common.errors import InvalidInput
from notifications.services import notify
from tickets.choices import TaskStatus
from tickets.exceptions import NotInThatState
from tickets.locks import lock_task
from tickets.services.transition_task import transition_task

DIFF_LIMIT = 2 * 1024 * 1024
CONTEXT_LIMIT = 1024 * 1024


@transaction.atomic
def begin_change(*, actor: str, task_pk: int) -> bool:
    """Send an approved task whose change isn't prepared or accepted yet to its preparation (CHG); False for others."""
    task = lock_task(task_pk)
    if task.status != TaskStatus.APPROVED or not awaits_change(task):
        return False
    transition_task(task=task, by="prepare_change", actor=actor)
    return True


@transaction.atomic
def submit_change(*, actor: str, task_pk: int, diff: str, context: dict[str, Any]) -> ChangeReview:
    """A process (`actor`, in words) puts a prepared change before the PM: CHG → REV, as the next revision.

    Raises InvalidInput (empty, over DIFF_LIMIT or CONTEXT_LIMIT bytes) or NotInThatState.
    """
    diff = diff.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    if not diff.strip():
        raise InvalidInput(_("The change is empty."), code="empty_change")
    kept = canonical_bytes(context)
    if len(diff.encode()) > DIFF_LIMIT or len(kept) > CONTEXT_LIMIT:
        raise InvalidInput(_("The change is too large to be reviewed; make it in parts."), code="change_too_large")
    task = lock_task(task_pk)
    if task.status != TaskStatus.PREPARING_CHANGE:
        raise NotInThatState(current=task.status)
    revision = task.change_reviews.count() + 1
    digest = hashlib.sha256(diff.encode()).hexdigest()
    change = ChangeReview.objects.create(
        task=task, revision=revision, submitted_by=actor, diff=diff, diff_digest=digest, context=context
    )
    transition_task(task=task, by="submit_change", actor=actor, revision=revision, diff_digest=digest)
    record(
        action="change.submitted",
        actor=actor,
        institution=task.institution,
        subject=change,
        task_id=task.task_id,
        revision=revision,
        diff_digest=digest,
        context_digest=hashlib.sha256(kept).hexdigest(),
    )
    notify(
        recipients=[pm for pm in holders_of(Role.PM, task.institution_id) if pm.pk not in task.author_ids],
        kind="review_requested",
        key=f"change:{change.pk}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        revision=revision,
        title=task.title,
    )
    return change
