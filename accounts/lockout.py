"""django-axes behind our names: who failed five times from one address waits (settings: AXES_*)."""

import hashlib
import unicodedata
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from accounts.exceptions import LockedOut
from accounts.models import User
from guardia.common.clock import now


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that failures are counted under. What nobody is called is kept as a digest: it may be a password typed
    into the wrong field; it is counted and locked all the same, so that a lock tells nobody which names exist."""
    name = unicodedata.normalize("NFKC", str((credentials or {}).get("username") or ""))[:150].replace("\x00", "")
    known = User.objects.filter(username__iexact=name.strip()).values_list("username", flat=True)[:2]
    if len(known) == 1:  # a directory doesn't tell KIM from kim: one person, one count
        return known[0]
    if name in known:
        return name
    return "?" + hashlib.sha256(name.encode()).hexdigest()[:32]


def is_locked_out(request: HttpRequest, username: str) -> bool:
    return not AxesProxyHandler.is_allowed(request, {"username": username})


def count_failure(request: HttpRequest, username: str) -> None:
    """A wrong code counts like a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)


def forget_failures(request: HttpRequest, username: str) -> None:
    """After a proof that was right. Log-ins do the same by Django's signal."""
    AxesProxyHandler.update_request(request)
    AxesProxyHandler.reset_attempts(username=username, ip_address=request.axes_ip_address)  # type: ignore[attr-defined]  # an attribute of ours, or of django-axes


def addresses_locked_for(username: str) -> list[str]:
    """From where this name can't log in now."""
    waiting = AccessAttempt.objects.filter(
        username=username,
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
        attempt_time__gt=now() - settings.AXES_COOLOFF_TIME,
    )
    return sorted({address or "?" for address in waiting.values_list("ip_address", flat=True)})


def unlock(username: str) -> int:
    """Forget the failures of a name, from wherever they came; returns how many addresses were forgotten."""
    return int(AxesProxyHandler.reset_attempts(username=username))


def locked_out() -> LockedOut:
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return LockedOut(str(LockedOut.default_message) % {"minutes": minutes}, minutes=minutes)
