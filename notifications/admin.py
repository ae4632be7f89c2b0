from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin
from notifications.models import Notification


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Each person sees their own messages."""

    list_display = ("created_at", "text", "read_at")
    fields = ("created_at", "text", "link", "read_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Notification.objects.filter(recipient_id=request.user.pk)
