"""django-axes behind our names: who failed five times from one address waits (settings: AXES_*)."""

import hashlib
import unicodedata
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from accounts.exceptions import LockedOut
from accounts.models import User


def counted_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that failures are counted under. What nobody is called is kept as a digest: it may be a password typed
    into the wrong field; it is counted and locked all the same, so that a lock tells nobody which names exist."""
    name = unicodedata.normalize("NFKC", str((credentials or {}).get("username") or ""))[:150].replace("\x00", "")
    if User.objects.filter(username=name).exists():
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
    AxesProxyHandler.reset_attempts(username=username, ip_address=request.axes_ip_address)  # type: ignore[attr-defined]


def locked_out() -> LockedOut:
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    return LockedOut(str(LockedOut.default_message) % {"minutes": minutes}, minutes=minutes)
