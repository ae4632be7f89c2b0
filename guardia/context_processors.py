from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from execution.halts.who import living_halts_shown_to, may_press
from governance.selectors import steps_awaiting, tasks_to_validate
from governance.selectors_authority import is_approver
from notifications.models import Notification

#: Presses of the kill switch that a page shows.
_BANNERS = 3
#: Beyond it the exact number says nothing more.
COUNTED = 100
#: Places that have no tab of their own at the bottom of a phone.
_PLACES_OF_MORE = ("more", "messages", "queue", "calendar", "policies", "absence", "authority", "people", "account")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a user; the numbers stop at a hundred."""

    is_approver: bool = False
    approvals: int = 0
    reviews: int = 0


def portal(request: HttpRequest) -> dict[str, Any]:
    """The numbers on the bars of every page (those of approvals are counted only where a page shows them), the kill
    switch for those who may press it, and what is pressed."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) and not (user and user.is_authenticated):
        return {"unread_count": 0}
    return {
        "unread_count": Notification.objects.filter(recipient_id=request.user.pk, read_at=None).count(),
        "waiting": SimpleLazyObject(lambda: waiting_for(request.user)),  # type: ignore[arg-type]
        "places_of_more": _PLACES_OF_MORE,
        "may_press": may_press(request.user),  # type: ignore[arg-type]
        "shown_halts": living_halts_shown_to(request.user)[:_BANNERS],  # type: ignore[arg-type]
    }


def waiting_for(user: User) -> Waiting:
    if not is_approver(user):
        return Waiting()
    return Waiting(
        is_approver=True,
        approvals=steps_awaiting(user).order_by()[:COUNTED].count(),
        reviews=tasks_to_validate(user).order_by()[:COUNTED].count(),
    )
