"""Reads about who answers for what: deputies to choose from, who is away, and mappings that have gone stale."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.choices import STAFF_ROLES, Authority, Role
from accounts.models import Institution, Membership, User
from accounts.scope import holds_role, memberships_of, visible_to, where_holding
from cmdb.models import System
from governance.models import Absence, SystemOwner

#: Whose holders are asked for approvals.
DECIDING_ROLES = (Role.TEAM_LEAD, Role.PM, Role.SECURITY_OFFICER)
_HERE = Q(institution=OuterRef("system__institution")) | Q(institution=None)


@dataclass(frozen=True, slots=True)
class StaleMapping:
    """A system whose people need attention, and why."""

    system: System
    problems: list[str | Promise]


def administers(actor: User, user: User) -> bool:
    """Whether `actor` administers an institution where `user` works."""
    if not actor.is_active:
        return False
    if actor.is_superuser or holds_role(actor, Role.ADMINISTRATOR, None):
        return True
    theirs = Membership.objects.filter(user=user).values("institution")
    return Membership.objects.filter(user=actor, role=Role.ADMINISTRATOR, institution__in=theirs).exists()


def deputies_for(user: User) -> QuerySet[User]:
    """Active approvers who work where `user` does: whom they may name while they are away."""
    mine = Membership.objects.filter(user=user)
    held = Q(memberships__authority=Authority.APPROVER, memberships__role__in=STAFF_ROLES)
    if not mine.filter(institution=None).exists():
        held &= Q(memberships__institution__in=mine.values("institution")) | Q(memberships__institution=None)
    return User.objects.filter(held, is_active=True).exclude(pk=user.pk).order_by("display_name", "pk").distinct()


def deciders_in(institution: Institution) -> QuerySet[User]:
    """Active approvers of an institution: who may be named for its systems."""
    held = Q(memberships__institution=institution) | Q(memberships__institution=None)
    held &= Q(memberships__authority=Authority.APPROVER, memberships__role__in=STAFF_ROLES)
    return User.objects.filter(held, is_active=True).order_by("display_name", "pk").distinct()


def is_approver(user: User) -> bool:
    """Whether approvals may be asked of an active user anywhere: by a role that decides, and not only to look on."""
    held = memberships_of(user)
    return user.is_active and any(h.authority == Authority.APPROVER and h.role in DECIDING_ROLES for h in held)


def people_administered(user: User) -> QuerySet[User]:
    """The accounts that an administrator looks after, those who have left included."""
    if user.is_superuser or holds_role(user, Role.ADMINISTRATOR, None):
        return User.objects.all()
    return User.objects.filter(memberships__institution__in=administered(user)).distinct()


def absences_visible_to(user: User | AnonymousUser) -> QuerySet[Absence]:
    """Absences of the people the user works with, each once."""
    return visible_to(Absence.objects.select_related("user", "deputy", "set_by"), user).distinct()


def administered(user: User) -> QuerySet[Institution]:
    """Institutions where the user is an administrator."""
    return where_holding(Institution.objects.all(), user, [Role.ADMINISTRATOR])


def stale_mappings(institutions: QuerySet[Institution] | None = None) -> list[StaleMapping]:
    """Systems with nobody named, with people who have left or may not decide, or without a deputy."""
    systems = System.objects.select_related("institution").order_by("institution__code", "code")
    if institutions is not None:
        systems = systems.filter(institution__in=institutions)
    approver = Membership.objects.filter(_HERE, authority=Authority.APPROVER)
    owned = SystemOwner.objects.filter(system__in=systems).select_related("owner", "deputy", "supervisor")
    for name in ("owner", "deputy", "supervisor"):
        owned = owned.annotate(**{f"{name}_may": Exists(approver.filter(user=OuterRef(name)))})
    by_system = {row.system_id: row for row in owned}
    found = ((system, _problems(by_system.get(system.pk))) for system in systems)
    return [StaleMapping(system, problems) for system, problems in found if problems]


def _problems(row: SystemOwner | None) -> list[str | Promise]:
    if row is None or not row.is_active:
        return [_("Nobody is named; the team leads are asked.")]
    problems: list[str | Promise] = []
    for name in ("owner", "deputy", "supervisor"):
        person: User | None = getattr(row, name)
        if person is None:
            if name == "deputy":
                problems.append(_("No deputy is named."))
        elif not person.is_active:
            problems.append(_("%(name)s has left.") % {"name": person})
        elif not getattr(row, f"{name}_may"):
            problems.append(_("%(name)s has no role that decides here.") % {"name": person})
    return problems
