"""Django's permissions from roles: who may look at what in the admin. Acts are decided by the services."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest

from accounts.choices import STAFF_ROLES, Role
from accounts.models import User
from accounts.scope import memberships_of

_READ_APPS = frozenset({"accounts", "cmdb", "tickets", "governance", "execution", "notifications"})
_AUDIT_READERS = frozenset({Role.AUDITOR, Role.SECURITY_OFFICER, Role.PM, Role.TEAM_LEAD, Role.ADMINISTRATOR})


def _changes_of(*models: str) -> frozenset[str]:
    """To add and change these rows of governance; whether in this institution, its services say."""
    return frozenset(f"governance.{verb}_{model}" for verb in ("add", "change") for model in models)


_CHANGES: dict[str, frozenset[str]] = {
    Role.OPERATOR: frozenset(
        f"cmdb.{verb}_{model}"
        for verb in ("add", "change")
        for model in ("site", "system", "server", "database", "balancer", "environmentprofile")
    )
    | _changes_of("changewindow", "extraholiday", "freeze"),
    Role.ADMINISTRATOR: _changes_of("changewindow", "extraholiday", "freeze", "accessrange"),
}


class RoleBackend:
    """Grants `view_*` of the operational apps to staff roles, the chain to those who answer for it, and the
    changes of the CMDB to operators, of hours and networks to those who keep them. It never authenticates anybody.

    Roles are the one way to rights: it stands before Django's own, and what it refuses (PermissionDenied) nobody
    grants. It is no `BaseBackend`: with a `get_user` it could be taken for one that logs people in.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def has_perm(self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: Model | None = None) -> bool:
        roles = _roles(user_obj)
        if not (roles & STAFF_ROLES and _may(roles, perm)):
            raise PermissionDenied
        return True

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        return self.has_perm(user_obj, f"{app_label}.view_")


def _may(roles: frozenset[str], perm: str) -> bool:
    app, _, codename = perm.partition(".")
    if codename.startswith("view_"):
        return app in _READ_APPS or (app == "audit" and bool(roles & _AUDIT_READERS))
    return any(perm in _CHANGES.get(role, ()) for role in roles)


def _roles(user: Any) -> frozenset[str]:
    """The user's roles, read once per request (Django makes a new user object for each)."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    if not hasattr(user, "_roles_cache"):
        user._roles_cache = frozenset(held.role for held in memberships_of(user))  # type: ignore[attr-defined]  # an attribute of ours, or of django-axes
    return user._roles_cache  # type: ignore[attr-defined,no-any-return]  # an attribute of ours, or of django-axes
