"""Panels of a task's page that join apps which don't know each other: what it waits for, and its chain entries."""

from typing import Any

from accounts.choices import Role
from accounts.scope import holds_role
from audit.selectors import chains_visible_to, entries_of_task
from execution.selectors import latest_run
from governance.choices import ExceptionStatus, StepStatus
from governance.models import FreezeException
from governance.selectors import steps_of
from governance.selectors_windows import Exposure
from governance.services.freeze_exceptions import may_decide
from governance.services.schedule_task import NOT_BEGUN
from guardia.context_processors import shown_halts
from guardia.waiting import Facts, Wait, waits_of
from tickets.choices import Priority
from tickets.panels import TaskPage, register_panel

_ENTRIES_SHOWN = 300


def register() -> None:
    register_panel(order=15, template="portal/partials/waiting_panel.html", context=waiting)
    register_panel(order=60, template="audit/partials/entries_panel.html", context=entries)


def waiting(page: TaskPage) -> dict[str, Any] | None:
    """Why the task doesn't run yet and from when it should, with the forms for those who can change that."""
    task, user = page.task, page.user
    exceptions = _exceptions_of(page)
    wait = _wait_of(page, exceptions)
    may_order = task.status in NOT_BEGUN and holds_role(user, Role.PM, task.institution_id)
    if wait is None and not exceptions and not may_order:
        return None
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


def _exceptions_of(page: TaskPage) -> list[FreezeException]:
    if not page.has("freeze_exceptions"):
        return []
    return list(page.task.freeze_exceptions.select_related("freeze", "requested_by", "decided_by"))


def _wait_of(page: TaskPage, exceptions: list[FreezeException]) -> Wait | None:
    """What the task waits for, out of what its page has read anyway."""
    task = page.task
    run = page.once(latest_run) if page.has("runs") else None
    steps = page.once(steps_of) if page.has("rounds") else []
    pending = [step for step in steps if step.status == StepStatus.PENDING]
    facts = Facts(
        asked={task.pk: pending[0]} if pending else {},
        held={task.pk: run} if run is not None and run.held_at is not None and run.finished_at is None else {},
        halts=shown_halts(page.request),
        exposure=Exposure(
            tiers={task.pk: {host["tier"] for host in page.hosts}},
            excepted={task.pk: {row.freeze_id for row in exceptions if row.status == ExceptionStatus.GRANTED}},
        ),
    )
    return waits_of([task], facts).get(task.pk)


def entries(page: TaskPage) -> dict[str, Any] | None:
    """The task's entries, oldest first, in the chains that the user may see."""
    rows = entries_of_task(page.task.task_id).filter(chain__in=chains_visible_to(page.user))
    shown = list(rows.select_related("chain")[:_ENTRIES_SHOWN])
    return {"entries": shown} if shown else None
