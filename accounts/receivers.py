"""Django's log-in signals begin and end the rows of sessions."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.choices import SessionEnd
from accounts.middleware import SESSION_KEY
from accounts.models import User
from accounts.services.sessions import begin_session, end_sessions


@receiver(user_logged_in)
def _begin(request: HttpRequest, user: User, **_: Any) -> None:
    """A log-in by the API's token door has no session, and so no row."""
    if not hasattr(request, "session") or request.path.startswith("/api/"):
        return
    session = begin_session(
        user=user,
        source_ip=request.META.get("REMOTE_ADDR", "") or "",
        browser=request.META.get("HTTP_USER_AGENT", ""),
    )
    request.session[SESSION_KEY] = session.pk


@receiver(user_logged_out)
def _end(request: HttpRequest, **_: Any) -> None:
    if (session_pk := request.session.get(SESSION_KEY)) is not None:
        end_sessions([session_pk], SessionEnd.LOGGED_OUT)
