"""Reads of tasks, scoped: staff see their institutions' tasks, a site manager likewise."""

import re

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet, Value
from django.db.models.functions import JSONObject

from accounts.models import User
from accounts.scope import visible_to
from cmdb.models import Server
from guardia.common.errors import NotVisible
from tickets.models import Artefact, Bigrams, OpsTask

#: The beginning of a TASK_ID, or its part from the day on.
_NUMBER = re.compile(r"(?:OPS-)?(\d{8}(?:-\d*)?)|(OPS-?\d{0,7})", re.IGNORECASE)


def tasks_visible_to(user: User | AnonymousUser) -> QuerySet[OpsTask]:
    return visible_to(OpsTask.objects.select_related("institution", "system", "requester"), user)


def visible_task(user: User | AnonymousUser, task_id: str) -> OpsTask:
    """One task by TASK_ID; raises NotVisible for what isn't there or isn't the user's to see."""
    return _one(tasks_visible_to(user), task_id)


def task_to_show(user: User | AnonymousUser, task_id: str) -> OpsTask:
    """The same with what its page needs (`whole`)."""
    return _one(whole(tasks_visible_to(user)), task_id)


def whole(tasks: QuerySet[OpsTask]) -> QuerySet[OpsTask]:
    """Tasks with what is shown of their servers (`hosts`) and artefacts (`files`), and with `has_<name>` for each kind
    of rows that any app keeps of a task (`has_runs`, `has_takeovers`): what isn't there needn't be asked for."""
    kept = {
        f"has_{relation.get_accessor_name()}": Exists(
            relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        )
        for relation in OpsTask._meta.related_objects
    }
    hosts = Server.objects.filter(tasks=OuterRef("pk")).order_by("hostname")
    files = Artefact.objects.filter(task=OuterRef("pk")).order_by("pk")
    return tasks.select_related("institution", "system", "requester").annotate(
        **kept,
        hosts=ArraySubquery(hosts.values(shown=JSONObject(pk="pk", hostname="hostname", tier="site__tier"))),
        files=ArraySubquery(files.values(shown=JSONObject(name="name", size="size", sha256="sha256"))),
    )


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


def _one(tasks: QuerySet[OpsTask], task_id: str) -> OpsTask:
    task = tasks.filter(task_id=storable(task_id)).first()
    if task is None:
        raise NotVisible
    return task
