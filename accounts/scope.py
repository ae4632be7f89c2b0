"""The one answer to "what may this user see?", used by every queryset of the portal, admin, API and websockets.

A model says where its institution is (`scope_path`, a query path); `visible_to` does the rest.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from accounts.choices import Authority, Role
from accounts.models import Institution, Membership, User
from guardia.common.context import remembered

M = TypeVar("M", bound=Model)


class Held(NamedTuple):
    """One membership of a user; no institution: in all of them."""

    institution_id: int | None
    role: str
    authority: str


def memberships_of(user: User | AnonymousUser) -> tuple[Held, ...]:
    """What the user holds now; a page reads it once (`guardia.common.context.remembering`), an act every time."""

    def read() -> tuple[Held, ...]:
        rows = Membership.objects.filter(user=user.pk or 0).values_list("institution_id", "role", "authority")
        return tuple(Held(*row) for row in rows)

    return remembered(("memberships", user.pk), read)


def with_memberships(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows that belong to a user, with what that user holds, for `remember_memberships`: one question less."""
    fields = {name: name for name in Held._fields}
    held = Membership.objects.filter(user=OuterRef("user")).values(row=JSONObject(**fields))
    found: QuerySet[Any] = rows.annotate(held=ArraySubquery(held))
    return found


def remember_memberships(row: Any) -> None:
    """For the rest of the page (`memberships_of`)."""
    remembered(("memberships", row.user_id), lambda: tuple(Held(**held) for held in row.held))


def sees_everything(user: User | AnonymousUser) -> bool:
    """Superusers, and members without an institution, see every institution."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or any(held.institution_id is None for held in memberships_of(user))


def visible_to(queryset: QuerySet[M], user: User | AnonymousUser) -> QuerySet[M]:
    """The part of `queryset` that belongs to the user's institutions; nothing for strangers and the inactive."""
    if not user.is_authenticated or not user.is_active:
        return queryset.none()
    return queryset if user.is_superuser else _within(queryset, memberships_of(user))


def holds_role(
    user: User, roles: Role | Iterable[Role], institution_id: int | None, *, authority: Authority | None = None
) -> bool:
    """Whether an active user holds one of `roles` in this institution (or in all); `authority` APPROVER leaves out
    those who only look on."""
    wanted = [roles] if isinstance(roles, Role) else list(roles)
    if not user.is_active:
        return False
    return any(
        held.role in wanted and held.institution_id in (None, institution_id) and authority in (None, held.authority)
        for held in memberships_of(user)
    )


def where_holding(queryset: QuerySet[M], user: User, roles: Iterable[Role]) -> QuerySet[M]:
    """The part of `queryset` in the institutions where an active user holds one of `roles`; superusers: all of it."""
    if not user.is_active:
        return queryset.none()
    wanted = list(roles)
    return queryset if user.is_superuser else _within(queryset, [h for h in memberships_of(user) if h.role in wanted])


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


def _within(queryset: QuerySet[M], memberships: Iterable[Held]) -> QuerySet[M]:
    """The part in the institutions of these memberships. They are named one by one in the query: of a subquery the
    database can't tell whether it holds ten rows of a table or all of them, and chooses the wrong index."""
    keys = {held.institution_id for held in memberships}
    if None in keys:
        return queryset
    path: str = queryset.model.scope_path  # type: ignore[attr-defined]  # every scoped model declares it
    return queryset.filter(Q(**{f"{path}__in": sorted(key for key in keys if key is not None)}))
