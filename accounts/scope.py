"""The one answer to "what may this user see?", used by every queryset of the portal, admin, API and websockets.

A model says where its institution is (`scope_path`, a query path); `visible_to` does the rest.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from accounts.choices import Role
from accounts.models import Institution, Membership, User

M = TypeVar("M", bound=Model)
_remembered: ContextVar[dict[int, list[Membership]] | None] = ContextVar("guardia_memberships", default=None)


@contextmanager
def memberships_remembered() -> Iterator[None]:
    """Read each user's memberships once within the block. Only for requests that change nothing (the middleware):
    whoever writes asks the database each time."""
    token = _remembered.set({})
    try:
        yield
    finally:
        _remembered.reset(token)


def memberships_of(user: User | AnonymousUser) -> list[Membership]:
    """What an active user holds, and where; nothing for strangers and the inactive. Read anew at every call, but for
    requests that only look."""
    if not user.is_authenticated or not user.is_active:
        return []
    memo = _remembered.get()
    if memo is not None and user.pk in memo:
        return memo[user.pk]
    held = list(Membership.objects.filter(user=user))
    if memo is not None:
        memo[user.pk] = held
    return held


def sees_everything(user: User | AnonymousUser) -> bool:
    """Superusers, and members without an institution, see every institution."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or any(held.institution_id is None for held in memberships_of(user))


def visible_to(queryset: QuerySet[M], user: User | AnonymousUser) -> QuerySet[M]:
    """The part of `queryset` that belongs to the user's institutions; nothing for strangers and the inactive."""
    if not user.is_authenticated or not user.is_active:
        return queryset.none()
    return _within(queryset, user, memberships_of(user))


def holds_role(user: User, roles: Role | Iterable[Role], institution_id: int | None) -> bool:
    """Whether an active user holds one of `roles` in this institution (or in all)."""
    wanted = [roles] if isinstance(roles, Role) else list(roles)
    here = (None, institution_id)
    return any(held.role in wanted and held.institution_id in here for held in memberships_of(user))


def where_holding(queryset: QuerySet[M], user: User, roles: Iterable[Role]) -> QuerySet[M]:
    """The part of `queryset` in the institutions where an active user holds one of `roles`; superusers: all of it."""
    if not user.is_active:
        return queryset.none()
    wanted = list(roles)
    return _within(queryset, user, [held for held in memberships_of(user) if held.role in wanted])


def people_visible_to(user: User | AnonymousUser) -> QuerySet[User]:
    """Who works in the user's institutions; everybody for those who see everything."""
    people = User.objects.all()
    if sees_everything(user):
        return people
    mine = visible_to(Institution.objects.all(), user)
    return people.filter(memberships__institution__in=mine).distinct()


def holders_of(role: Role, institution_id: int | None) -> QuerySet[User]:
    """Active users who hold `role` for this institution, those named for it before those who hold it everywhere."""
    memberships = Q(memberships__role=role) & (
        Q(memberships__institution=None) | Q(memberships__institution_id=institution_id)
    )
    return User.objects.filter(memberships, is_active=True).order_by("memberships__institution_id", "pk").distinct()


def _within(queryset: QuerySet[M], user: User | AnonymousUser, held: Iterable[Membership]) -> QuerySet[M]:
    institutions = {membership.institution_id for membership in held}
    if user.is_superuser or None in institutions:
        return queryset
    path: str = queryset.model.scope_path  # type: ignore[attr-defined]  # every scoped model declares it
    return queryset.filter(Q(**{f"{path}__in": institutions}))
