"""News of the floors below becomes notifications."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from accounts.models import UserSession
from accounts.signals import logged_in_elsewhere
from notifications.services import notify


@receiver(logged_in_elsewhere)
def _logged_in_elsewhere(session: UserSession, **_: Any) -> None:
    notify(
        recipients=[session.user],
        kind="logged_in_elsewhere",
        key=f"session:{session.pk}",
        link="/account/#sessions",
        time=timezone.localtime(session.started_at, timezone.get_default_timezone()).strftime("%Y-%m-%d %H:%M:%S"),
        address=session.source_ip or "-",
    )
