"""Log-ins reach the system's chain by Django's own signals."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver

from accounts.models import User
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
