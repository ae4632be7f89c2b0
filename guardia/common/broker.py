"""django-q2's database broker behind an allow-list.

The queue's payloads are signed pickles and its scheduler signs any callable a row names: who can write the
database could run code in the worker (`docs/adr/0006-the-queue-is-a-bell-behind-an-allow-list.md`). So nothing is
enqueued or handed to a worker unless it names a function in a `tasks` module of our own apps.
"""

import logging
import re
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.signing import BadSignature
from django_q.brokers.orm import ORM
from django_q.signing import SignedPackage

logger = logging.getLogger(__name__)
_TASK_PATH = re.compile(r"(?P<app>[a-z_]+)\.tasks\.[a-z_]+")


def is_allowed(function: object) -> bool:
    """Whether `function` names a task of ours, as text (a callable object in a payload is never allowed)."""
    if not isinstance(function, str):
        return False
    match = _TASK_PATH.fullmatch(function)
    return match is not None and match["app"] in settings.GUARDIA_APPS and apps.is_installed(match["app"])


def _carries_ids_only(message: dict[str, Any]) -> bool:
    """A message can also name a hook, which django-q2 would import and call when a task has failed, and any object."""
    ids = all(isinstance(value, int | str) for value in message.get("args", ()))
    return ids and not message.get("kwargs") and not message.get("hook") and not message.get("chain")


class AllowListBroker(ORM):
    """Refuses what is not ours at both ends; a refused message is removed and said in the log."""

    def enqueue(self, task: str) -> Any:
        if not self._is_ours(task):
            raise ValueError("refused to enqueue a function that is not a task of Guardia")
        return super().enqueue(task)

    def dequeue(self) -> list[tuple[Any, str]] | None:
        ours = []
        for ack_id, payload in super().dequeue() or []:
            if self._is_ours(payload):
                ours.append((ack_id, payload))
            else:
                logger.critical("queue message %s names no task of ours: removed unread", ack_id)
                self.delete(ack_id)
        return ours or None

    @staticmethod
    def _is_ours(payload: str) -> bool:
        try:
            message: Any = SignedPackage.loads(payload)
        except BadSignature:
            return False
        return isinstance(message, dict) and is_allowed(message.get("func")) and _carries_ids_only(message)
