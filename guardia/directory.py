"""Log-in by an institution's directory; imported only where one is named and django-auth-ldap is installed."""

from typing import Any

import ldap
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django_auth_ldap.backend import LDAPBackend, ldap_error

from accounts.exceptions import DirectoryAway
from accounts.models import User

#: Of a bind as the user these say nothing about the password; all others are a refusal of the directory.
_OUTAGES = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT, ldap.TIMELIMIT_EXCEEDED, ldap.BUSY, ldap.UNAVAILABLE)


class DirectoryBackend(LDAPBackend):
    """Asked after the passwords that are kept here. The directory says who somebody is; accounts and roles are ours,
    and what was disabled here stays so."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """None for whatever is wrong with name or password. Raises DirectoryAway when the directory can't be asked.

        That says nothing about the password, so it doesn't count as a failure; but for somebody who has a password
        here it does: that one was wrong.
        """
        if not username or not password or "\x00" in username + password:
            return None
        try:
            found = super().authenticate(request, username=username, password=password, **kwargs)
        except DirectoryAway:
            known = User.objects.filter(username__iexact=username.strip()).first()
            if known is not None and known.has_usable_password():
                user_login_failed.send(sender=__name__, credentials={"username": username}, request=request)
            raise
        return found if isinstance(found, User) and found.is_active else None

    def get_user(self, user_id: Any) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[User, bool]:
        """The account of this name, whatever its case. Two that differ by case alone are nobody's."""
        like = User.objects.filter(username__iexact=username)[:3]
        found = [user for user in like if user.username.lower() == username.lower()]
        return (found[0], False) if len(found) == 1 else (User(username=username), True)


@receiver(ldap_error)
def _away(exception: ldap.LDAPError, context: str, **_: Any) -> None:
    """What the package would take for a wrong password: it couldn't look for the person, or couldn't ask."""
    if context == "search_for_user_dn" or isinstance(exception, _OUTAGES):
        raise DirectoryAway from exception
