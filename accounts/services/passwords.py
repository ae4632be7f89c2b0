from datetime import timedelta

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.choices import SessionEnd
from accounts.exceptions import WeakPassword
from accounts.models import User
from accounts.password_profiles import password_profile
from accounts.services.sessions import end_sessions
from accounts.signals import account_changed
from guardia.common.clock import now
from guardia.common.errors import NotPermitted


def password_days_left(user: User) -> int | None:
    """Days until the password must be changed (negative: overdue); None where passwords don't age, or it isn't ours."""
    limit = password_profile(settings.GUARDIA_PASSWORD_PROFILE).max_age_days
    if limit is None or not user.has_usable_password():
        return None
    ends = (user.password_changed_at or user.date_joined) + timedelta(days=limit)
    return (ends - now()) // timedelta(days=1)


def is_password_expired(user: User) -> bool:
    left = password_days_left(user)
    return left is not None and left < 0


@transaction.atomic
def change_password(*, actor: User, password: str, session_pk: int | None) -> User:
    """A new password for oneself; every other session ends. Raises WeakPassword; NotPermitted where it is the
    directory's, so that leaving the directory stays the end of it.

    The door has asked for the old one. Bearer tokens of the API end with the old password too.
    """
    user = User.objects.select_for_update().get(pk=actor.pk)
    if not user.has_usable_password():
        raise NotPermitted(_("Your password is kept in your institution's directory: change it there."))
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from error
    user.set_password(password)
    user.must_change_password = False
    user.save(update_fields=["password", "password_changed_at", "must_change_password"])
    ended = end_sessions(Q(user=user) & ~Q(pk=session_pk), SessionEnd.PASSWORD)
    account_changed.send(User, user=user, actor=user, action="password.changed", facts={"sessions_ended": ended})
    return user
