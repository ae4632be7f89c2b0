"""The chain's panel on a task's page. It joins audit and tickets, which don't know each other."""

from typing import Any

from django.http import HttpRequest

from audit.selectors import entries_of_task, entries_visible_to
from tickets.models import OpsTask
from tickets.panels import register_panel

_ENTRIES_SHOWN = 300


def register() -> None:
    register_panel(order=60, template="audit/partials/entries_panel.html", context=entries)


def entries(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """The task's entries, oldest first, in the chains that the user may see."""
    rows = entries_of_task(task.task_id).filter(pk__in=entries_visible_to(request.user).values("pk"))
    shown = list(rows.select_related("chain")[:_ENTRIES_SHOWN])
    return {"entries": shown} if shown else None
