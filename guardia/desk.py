"""What somebody sees first: what waits for them, what runs, and whether the chain is whole. Joins the apps."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count
from django.http import HttpRequest

from accounts.caller import caller
from accounts.choices import Role
from accounts.models import Institution, User
from accounts.scope import where_holding
from execution.selectors import runs_visible_to
from governance.selectors import steps_awaiting, tasks_to_validate
from guardia.context_processors import COUNTED
from tickets.choices import TaskStatus
from tickets.selectors import tasks_visible_to

_OPEN = (
    TaskStatus.NEEDS_INFORMATION,
    TaskStatus.PENDING_APPROVAL,
    TaskStatus.APPROVED,
    TaskStatus.SCHEDULED,
    TaskStatus.EXECUTING,
    TaskStatus.HALTED,
    TaskStatus.PENDING_VALIDATION,
    TaskStatus.MANUAL,
    TaskStatus.FAILED,
)


def desk_context(request: HttpRequest) -> dict[str, Any]:
    """Inbox, validations, living runs and the count of tasks by state, for the user's institutions."""
    user: User | AnonymousUser = request.user  # type: ignore[assignment]  # the stubs know Django's own user alone
    tasks = tasks_visible_to(user).filter(status__in=_OPEN, closed_at=None)
    counts = dict(tasks.order_by().values_list("status").annotate(n=Count("pk")))
    return {
        "operates": where_holding(Institution.objects.all(), caller(request), [Role.OPERATOR]).exists(),
        "inbox": list(steps_awaiting(user)[:COUNTED]),
        "to_validate": list(tasks_to_validate(user)[:COUNTED]),
        "living_runs": list(runs_visible_to(user).filter(finished_at=None).select_related("task")[:10]),
        "state_counts": [(status, status.label, counts.get(status.value, 0)) for status in _OPEN],
    }
