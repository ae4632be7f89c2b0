"""Windows and freezes around the present moment, for tests that can't choose when they run."""

from datetime import timedelta
from typing import Any

from django.utils.timezone import localtime

from accounts.models import Institution
from governance.models import ChangeWindow, Freeze
from guardia.common.clock import now


def closed_window(institution: Institution, **fields: Any) -> ChangeWindow:
    """A daily window of one hour that opens in about twelve hours."""
    start = (localtime(now()) + timedelta(hours=12)).time().replace(second=0, microsecond=0)
    end = (localtime(now()) + timedelta(hours=13)).time().replace(second=0, microsecond=0)
    return _window(institution, starts_at=start, ends_at=end, **fields)


def open_window(institution: Institution, **fields: Any) -> ChangeWindow:
    return _window(institution, starts_at="00:00", ends_at="00:00", **fields)


def freeze(institution: Institution | None, *, begins: float = -1, hours: float = 24, **fields: Any) -> Freeze:
    """A freeze that `begins` hours from now and lasts `hours`."""
    start = now() + timedelta(hours=begins)
    values = {"name": "연말 동결", "reason": "연말 정산", **fields}
    return Freeze.objects.create(
        institution=institution, starts_at=start, ends_at=start + timedelta(hours=hours), **values
    )


def _window(institution: Institution, **fields: Any) -> ChangeWindow:
    values = {"name": "야간", "weekdays": list(range(7)), "on_holidays": "ALLOWED", **fields}
    window = ChangeWindow.objects.create(institution=institution, **values)
    window.refresh_from_db()
    return window
