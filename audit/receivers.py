"""Log-ins and changes of accounts reach the system's chain by signals: Django's, django-axes' and those of accounts."""

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from accounts.models import User
from accounts.rates import STRANGER
from accounts.signals import account_changed, rate_exceeded
from audit.services import record


@receiver(user_logged_in)
def _logged_in(user: User, **_: Any) -> None:
    with transaction.atomic():
        record(action="session.logged_in", actor=user, institution=None, subject=user)


@receiver(user_logged_out)
def _logged_out(user: User | None, **_: Any) -> None:
    if user is not None:
        with transaction.atomic():
            record(action="session.logged_out", actor=user, institution=None, subject=user)


@receiver(user_login_failed)
def _login_failed(credentials: dict[str, Any], **_: Any) -> None:
    # The name somebody typed may be a password typed in the wrong field: only its length is kept when it is unknown.
    name = str(credentials.get("username", ""))
    known = User.objects.filter(username=name).first()
    with transaction.atomic():
        record(
            action="session.login_failed",
            actor="stranger",
            institution=None,
            subject=known,
            name_known=known is not None,
            name_length=len(name),
        )


@receiver(user_locked_out)
def _locked_out(request: HttpRequest, username: str, **_: Any) -> None:
    """Once for each lock: later knocks at the locked door carry no count."""
    failures = getattr(request, "axes_failures_since_start", None)
    if failures is None:
        return
    with transaction.atomic():
        record(
            action="session.locked_out",
            actor="stranger",
            institution=None,
            subject=User.objects.filter(username=username).first(),
            failures=failures,
        )


@receiver(account_changed)
def _account_changed(user: User, actor: User, action: str, facts: dict[str, Any], **_: Any) -> None:
    """In the transaction of the change: without the entry there is no change."""
    record(action=action, actor=actor, institution=None, subject=user, **facts)


@receiver(rate_exceeded)
def _rate_exceeded(actor: User | str, rate: str, limit: str, **_: Any) -> None:
    is_nobody = isinstance(actor, str) and actor.startswith(STRANGER)
    with transaction.atomic():
        record(
            action="rate.exceeded",
            actor="stranger" if is_nobody else actor,
            institution=None,
            subject=actor if isinstance(actor, User) else None,
            rate=rate.lower(),
            limit=limit,
        )
