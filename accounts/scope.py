"""The one answer to "what may this user see?", used by every queryset of the portal, admin, API and websockets.

A model says where its institution is (`scope_path`, a query path); `visible_to` does the rest.
"""

from collections.abc import Iterable
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from accounts.choices import Authority, Role
from accounts.models import Institution, Membership, User

M = TypeVar("M", bound=Model)


def sees_everything(user: User | AnonymousUser) -> bool:
    """Superusers, and members without an institution, see every institution."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or Membership.objects.filter(user=user, institution=None).exists()


def visible_to(queryset: QuerySet[M], user: User | AnonymousUser) -> QuerySet[M]:
    """The part of `queryset` that belongs to the user's institutions; nothing for strangers and the inactive."""
    if not user.is_authenticated or not user.is_active:
        return queryset.none()
    if sees_everything(user):
        return queryset
    path: str = queryset.model.scope_path  # type: ignore[attr-defined]  # every scoped model declares it
    mine = Membership.objects.filter(user=user).values("institution")
    return queryset.filter(Q(**{f"{path}__in": mine}))


def holds_role(
    user: User, roles: Role | Iterable[Role], institution_id: int | None, *, authority: Authority | None = None
) -> bool:
    """Whether an active user holds one of `roles` in this institution (or in all); `authority` APPROVER leaves out
    those who only look on."""
    wanted = [roles] if isinstance(roles, Role) else list(roles)
    if not user.is_active:
        return False
    held = Membership.objects.filter(user=user, role__in=wanted)
    if authority is not None:
        held = held.filter(authority=authority)
    return held.filter(Q(institution=None) | Q(institution_id=institution_id)).exists()


def where_holding(queryset: QuerySet[M], user: User, roles: Iterable[Role]) -> QuerySet[M]:
    """The part of `queryset` in the institutions where an active user holds one of `roles`; superusers: all of it."""
    if not user.is_active:
        return queryset.none()
    held = Membership.objects.filter(user=user, role__in=list(roles))
    if user.is_superuser or held.filter(institution=None).exists():
        return queryset
    path: str = queryset.model.scope_path  # type: ignore[attr-defined]  # every scoped model declares it
    return queryset.filter(Q(**{f"{path}__in": held.values("institution")}))


def people_visible_to(user: User | AnonymousUser) -> QuerySet[User]:
    """Who works in the user's institutions; everybody for those who see everything."""
    people = User.objects.all()
    if sees_everything(user):
        return people
    mine = visible_to(Institution.objects.all(), user)
    return people.filter(memberships__institution__in=mine).distinct()


def holders_of(role: Role, institution_id: int | None, *, authority: Authority | None = None) -> QuerySet[User]:
    """Active users who hold `role` for this institution (with this authority, where one is named), those named for it
    before those who hold it everywhere."""
    memberships = Q(memberships__role=role) & (
        Q(memberships__institution=None) | Q(memberships__institution_id=institution_id)
    )
    if authority is not None:
        memberships &= Q(memberships__authority=authority)
    return User.objects.filter(memberships, is_active=True).order_by("memberships__institution_id", "pk").distinct()
