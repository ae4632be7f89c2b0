"""Reads of tasks, scoped: staff see their institutions' tasks, a site manager likewise."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from accounts.scope import visible_to
from guardia.common.errors import NotVisible
from tickets.models import OpsTask


def tasks_visible_to(user: User | AnonymousUser) -> QuerySet[OpsTask]:
    return visible_to(OpsTask.objects.select_related("institution", "system", "requester"), user)


def visible_task(user: User | AnonymousUser, task_id: str) -> OpsTask:
    """One task by TASK_ID; raises NotVisible for what isn't there or isn't the user's to see."""
    task = tasks_visible_to(user).filter(task_id=storable(task_id)).first()
    if task is None:
        raise NotVisible
    return task


def storable(task_id: str) -> str:
    """A TASK_ID from outside without what PostgreSQL can't compare: NUL, which no TASK_ID holds."""
    return task_id.replace("\x00", "\ufffd")
