"""How playbooks have done, as far as a user may see: runs of the user's institutions only."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Max, Q, QuerySet

from accounts.models import User
from execution.choices import RunStatus
from execution.models import Playbook, Run
from execution.selectors import runs_visible_to


@dataclass(frozen=True, slots=True)
class Record:
    """Runs that have ended; `percent` of them succeeded (None where none has)."""

    ended: int = 0
    succeeded: int = 0

    @property
    def percent(self) -> int | None:
        return self.succeeded * 100 // self.ended if self.ended else None


def newest_playbooks() -> QuerySet[Playbook]:
    """The newest version of each name."""
    newest = Playbook.objects.values("name").annotate(newest=Max("version"))
    wanted = Q(pk__in=[])
    for row in newest:
        wanted |= Q(name=row["name"], version=row["newest"])
    return Playbook.objects.filter(wanted).order_by("sub_type", "name")


def records_by_name(user: User | AnonymousUser) -> dict[str, Record]:
    """For each playbook's name: its runs."""
    rows = _counted(runs_visible_to(user), "plan__playbook__name")
    return {row["plan__playbook__name"]: Record(row["ended"], row["succeeded"]) for row in rows}


def records_by_version(user: User | AnonymousUser, name: str) -> dict[int, Record]:
    rows = _counted(runs_visible_to(user).filter(plan__playbook__name=name), "plan__playbook__version")
    return {row["plan__playbook__version"]: Record(row["ended"], row["succeeded"]) for row in rows}


def runs_of(user: User | AnonymousUser, playbook: Playbook) -> QuerySet[Run]:
    return runs_visible_to(user).filter(plan__playbook=playbook).order_by("-pk")


def _counted(runs: QuerySet[Run], by: str) -> Iterable[dict[str, Any]]:
    return list(
        runs.exclude(finished_at=None)
        .order_by()
        .values(by)
        .annotate(ended=Count("pk"), succeeded=Count("pk", filter=Q(status=RunStatus.SUCCEEDED)))
    )
