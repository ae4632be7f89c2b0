"""The one clock: stored in UTC, shown and counted by day in the project's time zone."""

from datetime import date, datetime

from django.utils import timezone


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return timezone.now()


def local_day(moment: datetime | None = None) -> date:
    """The calendar day of `moment` (default: now) where the users are (settings.TIME_ZONE, Asia/Seoul)."""
    return timezone.localtime(moment or now(), timezone.get_default_timezone()).date()
