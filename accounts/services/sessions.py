"""The life of a log-in: begun by Django's signal, looked at on every request, ended from anywhere."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.choices import SessionEnd
from accounts.models import User, UserSession
from accounts.signals import account_changed, logged_in_elsewhere
from guardia.common.clock import now
from guardia.common.errors import NotVisible


def living_sessions() -> QuerySet[UserSession]:
    """Sessions within both limits, of active users: the one definition of "still logged in"."""
    moment = now()
    return UserSession.objects.filter(
        ended_at=None,
        user__is_active=True,
        last_seen_at__gt=moment - timedelta(minutes=settings.GUARDIA_SESSION_IDLE_MINUTES),
        started_at__gt=moment - timedelta(hours=settings.GUARDIA_SESSION_HOURS),
    )


@transaction.atomic
def begin_session(*, user: User, source_ip: str, browser: str) -> UserSession:
    """The row of a new log-in. Other living sessions are news for the user (`logged_in_elsewhere`)."""
    others = living_sessions().filter(user=user).count()
    session = UserSession.objects.create(
        user=user, last_seen_at=now(), source_ip=source_ip[:64], browser=browser.replace("\x00", "")[:200]
    )
    if others:
        logged_in_elsewhere.send(User, session=session, others=others)
    return session


def end_reason(session: UserSession) -> SessionEnd | None:
    """Why the session must end now; None while it lives."""
    moment = now()
    if session.ended_at is not None:
        return SessionEnd(session.ended_by)
    if not session.user.is_active:
        return SessionEnd.DISABLED
    if moment - session.started_at >= timedelta(hours=settings.GUARDIA_SESSION_HOURS):
        return SessionEnd.EXPIRED
    if moment - session.last_seen_at >= timedelta(minutes=settings.GUARDIA_SESSION_IDLE_MINUTES):
        return SessionEnd.IDLE
    return None


def end_sessions(sessions: Q | Iterable[int], reason: SessionEnd) -> int:
    """End those still open of the sessions (a condition, or their keys); returns how many."""
    wanted = sessions if isinstance(sessions, Q) else Q(pk__in=list(sessions))
    return UserSession.objects.filter(wanted, ended_at=None).update(ended_at=now(), ended_by=reason)


@transaction.atomic
def end_own_session(*, actor: User, session_pk: int) -> None:
    """End another (or this) session of one's own. Raises NotVisible for anybody else's."""
    if not UserSession.objects.filter(pk=session_pk, user=actor).exists():
        raise NotVisible
    if end_sessions([session_pk], SessionEnd.BY_USER):
        account_changed.send(
            User, user=actor, actor=actor, action="session.ended_by_user", facts={"session": session_pk}
        )
