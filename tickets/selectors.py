"""Reads of tasks, scoped: staff see their institutions' tasks, a site manager likewise."""

import re

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet, Value

from accounts.models import User
from accounts.scope import visible_to
from guardia.common.errors import NotVisible
from tickets.models import Bigrams, OpsTask

#: The beginning of a TASK_ID, or its part from the day on.
_NUMBER = re.compile(r"(?:OPS-)?(\d{8}(?:-\d*)?)|(OPS-?\d{0,7})", re.IGNORECASE)


def tasks_visible_to(user: User | AnonymousUser) -> QuerySet[OpsTask]:
    return visible_to(OpsTask.objects.select_related("institution", "system", "requester"), user)


def visible_task(user: User | AnonymousUser, task_id: str) -> OpsTask:
    """One task by TASK_ID; raises NotVisible for what isn't there or isn't the user's to see."""
    task = tasks_visible_to(user).filter(task_id=storable(task_id)).first()
    if task is None:
        raise NotVisible
    return task


def search_tasks(tasks: QuerySet[OpsTask], words: str) -> QuerySet[OpsTask]:
    """The tasks whose TASK_ID begins so, or else whose request holds these words; both by an index.

    A single letter is no search: nothing is found for it.
    """
    words = storable(words)
    if number := _NUMBER.fullmatch(words):
        return tasks.filter(task_id__startswith=f"OPS-{number[1]}" if number[1] else number[2].upper())
    if len(words) < 2:
        return tasks.none()
    return tasks.alias(bigrams=Bigrams("text")).filter(bigrams__contains=Bigrams(Value(words)), text__ilike=words)


def storable(task_id: str) -> str:
    """A TASK_ID from outside without what PostgreSQL can't compare: NUL, which no TASK_ID holds."""
    return task_id.replace("\x00", "\ufffd")
