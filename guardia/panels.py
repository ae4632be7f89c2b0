"""Panels of a task's page that join apps which don't know each other: what it waits for, and its chain entries."""

from typing import Any

from django.http import HttpRequest

from accounts.caller import caller
from accounts.choices import Role
from accounts.scope import holds_role
from audit.selectors import entries_of_task, entries_visible_to
from governance.choices import ExceptionStatus
from governance.services.freeze_exceptions import may_decide
from governance.services.schedule_task import NOT_BEGUN
from guardia.waiting import waits_of
from tickets.choices import Priority
from tickets.models import OpsTask
from tickets.panels import register_panel

_ENTRIES_SHOWN = 300


def register() -> None:
    register_panel(order=15, template="portal/partials/waiting_panel.html", context=waiting)
    register_panel(order=60, template="audit/partials/entries_panel.html", context=entries)


def waiting(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """Why the task doesn't run yet and from when it should, with the forms for those who can change that."""
    wait = waits_of([task]).get(task.pk)
    exceptions = list(task.freeze_exceptions.select_related("freeze", "requested_by", "decided_by"))
    may_order = task.status in NOT_BEGUN and holds_role(caller(request), Role.PM, task.institution_id)
    if wait is None and not exceptions and not may_order:
        return None
    user = caller(request)
    is_pm = holds_role(user, Role.PM, task.institution_id)
    asked = {row.freeze_id for row in exceptions if row.status != ExceptionStatus.REFUSED}
    freezes = wait.hold.freezes if wait is not None and wait.hold is not None else ()
    may_ask = is_pm or user.pk == task.requester_id
    return {
        "wait": wait,
        "exceptions": [
            (row, row.status == ExceptionStatus.REQUESTED and may_decide(user, row, task)) for row in exceptions
        ],
        "to_ask": [freeze for freeze in freezes if freeze.pk not in asked] if may_ask else [],
        "may_order": may_order,
        "may_resume": wait is not None and wait.kind == "held" and is_pm and not freezes,
        "priorities": Priority.choices,
        "mine": any(row.status == ExceptionStatus.REQUESTED and may_decide(user, row, task) for row in exceptions),
    }


def entries(request: HttpRequest, task: OpsTask) -> dict[str, Any] | None:
    """The task's entries, oldest first, in the chains that the user may see."""
    rows = entries_of_task(task.task_id).filter(pk__in=entries_visible_to(request.user).values("pk"))
    shown = list(rows.select_related("chain")[:_ENTRIES_SHOWN])
    return {"entries": shown} if shown else None
