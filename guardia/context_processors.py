from dataclasses import dataclass
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from execution.halts.who import living_halts_shown_to, may_press
from execution.models import Halt
from governance.selectors import steps_awaiting, tasks_to_validate
from governance.selectors_authority import is_approver
from guardia.common.context import remembered
from notifications.models import Notification

#: Presses of the kill switch that a page shows.
_BANNERS = 3
#: Beyond it the exact number says nothing more.
COUNTED = 100
#: Places that have no tab of their own at the bottom of a phone.
_PLACES_OF_MORE = (
    "more",
    "messages",
    "queue",
    "calendar",
    "policies",
    "absence",
    "authority",
    "people",
    "account",
    "reports",
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a user; the numbers of approvals and reviews stop at a hundred."""

    is_approver: bool = False
    approvals: int = 0
    reviews: int = 0
    unread: int = 0


class _Counted(Subquery):
    """How many rows a query has, as a value of another."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def portal(request: HttpRequest) -> dict[str, Any]:
    """The numbers on the bars of every page (counted only where a page shows them), the kill switch for those who may
    press it, and what is pressed."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) and not (user and user.is_authenticated):
        return {}
    return {
        "waiting": SimpleLazyObject(lambda: waiting_for(request.user)),  # type: ignore[arg-type]  # the stubs know Django's own user alone
        "places_of_more": _PLACES_OF_MORE,
        "may_press": may_press(request.user),  # type: ignore[arg-type]  # the stubs know Django's own user alone
        "shown_halts": shown_halts(request)[:_BANNERS],
    }


def shown_halts(request: HttpRequest) -> list[Halt]:
    """What is pressed where the user looks, read once by a page."""
    user: User = request.user  # type: ignore[assignment]  # the stubs know Django's own user alone
    return remembered(("halts", user.pk), lambda: list(living_halts_shown_to(user)))


def waiting_for(user: User) -> Waiting:
    """In one query. None of a query that can't have rows is a zero."""
    counted: dict[str, QuerySet[Any]] = {"unread": Notification.objects.filter(recipient_id=user.pk, read_at=None)}
    if is_approver(user):
        counted |= {
            "approvals": steps_awaiting(user).order_by()[:COUNTED],
            "reviews": tasks_to_validate(user).order_by()[:COUNTED],
        }
    columns = {name: _Counted(rows.values("pk")) for name, rows in counted.items()}
    found = User.objects.filter(pk=user.pk).annotate(**columns).values(*columns).get()
    return Waiting(is_approver="approvals" in found, **{name: number or 0 for name, number in found.items()})
