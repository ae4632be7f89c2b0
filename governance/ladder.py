"""Who is asked for a step, level by level: owner, deputy, supervisor (design §3).

A roster is loaded once per institution, so that a sweep answers for thousands of steps without a query for each.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Q

from accounts.choices import Authority, Role
from accounts.models import Membership, User
from governance.choices import Level, StepRole
from governance.models import Absence, SystemOwner

#: Where no system says it.
DEFAULT_SLA_MINUTES = 10
_ROLES = {
    StepRole.OWNER: Role.TEAM_LEAD,
    StepRole.PM: Role.PM,
    StepRole.SECURITY_OFFICER: Role.SECURITY_OFFICER,
}


@dataclass(frozen=True, slots=True)
class Rung:
    """One person at one level."""

    level: Level
    person: User


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of one institution who may decide, and who of them is away, at the moment of loading."""

    holders: dict[Role, dict[int, User]]
    approvers: dict[int, User]
    ownerships: dict[int, SystemOwner]
    away: dict[int, int | None]

    @classmethod
    def load(cls, institution_id: int) -> "Roster":
        """The roster of one institution."""
        return cls.load_many([institution_id])[institution_id]

    @classmethod
    def load_many(cls, institution_ids: Collection[int]) -> "dict[int, Roster]":
        """Institution → roster. Three queries, whatever the number of institutions, people and systems."""
        rosters = {pk: cls({}, {}, {}, {}) for pk in institution_ids}
        for membership in (
            Membership.objects.filter(Q(institution__in=rosters) | Q(institution=None), user__is_active=True)
            .filter(authority=Authority.APPROVER)
            .select_related("user")
            .order_by("institution_id", "user_id")
        ):
            place = membership.institution_id
            for roster in rosters.values() if place is None else [rosters[place]]:
                roster.holders.setdefault(Role(membership.role), {})[membership.user_id] = membership.user
                roster.approvers[membership.user_id] = membership.user
        owned = SystemOwner.objects.filter(system__institution__in=rosters, is_active=True)
        for row in owned.select_related("system", "owner", "deputy", "supervisor"):
            rosters[row.system.institution_id].ownerships[row.system_id] = row
        people = {pk for roster in rosters.values() for pk in roster.approvers}
        away = {row.user_id: row.deputy_id for row in Absence.in_force().filter(user__in=people).order_by("pk")}
        for roster in rosters.values():
            roster.away.update({pk: deputy for pk, deputy in away.items() if pk in roster.approvers})
        return rosters

    def sla_minutes(self, system_id: int | None) -> int:
        """How long one level has to answer."""
        ownership = self.ownerships.get(system_id or 0)
        return ownership.sla_minutes if ownership else DEFAULT_SLA_MINUTES

    def first(self, role: str, system_id: int | None, barred: Collection[int]) -> Rung | None:
        """Whose the step is: the first person who may decide it, away or not. `barred`: ids who may not."""
        return self._first(self._rungs(role, system_id, None), barred, ())

    def eligible(self, role: str, system_id: int | None, barred: Collection[int]) -> list[User]:
        """Whom the step can be meant for, in order, away or not: a supervisor stands in for a role, but a round is not
        begun where nobody holds it."""
        rungs = self._rungs(role, system_id, None)
        people = [rung.person for rung in rungs if role == StepRole.OWNER or rung.level != Level.SUPERVISOR]
        return list(dict.fromkeys(user for user in people if user.pk in self.approvers and user.pk not in barred))

    def reachable(
        self, role: str, system_id: int | None, *, original_id: int, barred: Collection[int], above: int = -1
    ) -> Rung | None:
        """The first person above the level `above` who may decide the step and isn't away; None: the end."""
        rungs = (rung for rung in self._rungs(role, system_id, original_id) if rung.level > above)
        return self._first(rungs, barred, self.away)

    def others(self, role: str, system_id: int | None, barred: Collection[int]) -> list[User]:
        """Everybody the step may be handed to now."""
        named = [rung.person for rung in self._rungs(role, system_id, None)]
        people = {person.pk: person for person in [*named, *self.holders.get(_ROLES[StepRole(role)], {}).values()]}
        return [
            self.approvers[pk] for pk in people if pk in self.approvers and pk not in barred and pk not in self.away
        ]

    def _first(self, rungs: Iterable[Rung], barred: Collection[int], away: Collection[int]) -> Rung | None:
        return next(
            (
                rung
                for rung in rungs
                if rung.person.pk in self.approvers and rung.person.pk not in barred and rung.person.pk not in away
            ),
            None,
        )

    def _rungs(self, role: str, system_id: int | None, original_id: int | None) -> list[Rung]:
        """Every level's people in the order in which they are asked; who may not is sieved out by `_first`."""
        ownership = self.ownerships.get(system_id or 0)
        holders = list(self.holders.get(_ROLES[StepRole(role)], {}).values())
        if role == StepRole.OWNER and ownership is not None:
            first, seconds = [ownership.owner], [self._stand_in(ownership.owner_id), ownership.deputy]
        elif original_id is None:
            first, seconds = holders, []
        else:
            stand_in = self._stand_in(original_id)
            first = [person for person in holders if person.pk == original_id]
            seconds = [stand_in if stand_in in holders else None, *holders]
        supervisor = ownership.supervisor if ownership is not None else None
        levels = ((Level.OWNER, first), (Level.DEPUTY, seconds), (Level.SUPERVISOR, [supervisor]))
        return [Rung(level, person) for level, people in levels for person in people if person is not None]

    def _stand_in(self, user_id: int) -> User | None:
        """Whom an absent person named; None while they are here, or where they named nobody."""
        return self.approvers.get(self.away.get(user_id) or 0)
