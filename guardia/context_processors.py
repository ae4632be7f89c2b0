from typing import Any

from django.http import HttpRequest

from accounts.models import User
from execution.halts.who import living_halts_shown_to, may_press
from notifications.models import Notification

_BANNERS = 3


def portal(request: HttpRequest) -> dict[str, Any]:
    """For every page: the number on the bell, the kill switch for those who may press it, and what is pressed."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"unread_count": 0}
    return {
        "unread_count": Notification.objects.filter(recipient_id=user.pk, read_at=None).count(),
        "may_press": may_press(user),
        "shown_halts": living_halts_shown_to(user)[:_BANNERS],
    }
