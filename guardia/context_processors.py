from typing import Any

from django.http import HttpRequest

from notifications.models import Notification


def portal(request: HttpRequest) -> dict[str, Any]:
    """The number on the bell of every page."""
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {"unread_count": 0}
    return {"unread_count": Notification.objects.filter(recipient_id=request.user.pk, read_at=None).count()}
