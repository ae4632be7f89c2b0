"""Which windows, holidays and freezes count where, and what holds a task because of them.

Everything about a page of tasks is read in a fixed number of queries (`hours_of_tasks`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from cmdb.models import Server
from governance import calendar
from governance.choices import ExceptionStatus, HoldKind, OnHolidays
from governance.holiday_names import holiday_name
from governance.models import ChangeWindow, ExtraHoliday, Freeze, FreezeException
from guardia.common.clock import now
from tickets.models import OpsTask


@dataclass(frozen=True, slots=True)
class Place:
    """What windows and freezes are said of. Windows look at the strictest tier, freezes at every one."""

    institution_id: int
    system_id: int | None = None
    tiers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Hours:
    """The rules of one place, ready to be asked."""

    windows: Sequence[calendar.Weekly] = ()
    freezes: Sequence[Freeze] = ()
    extra: Mapping[date, str] = field(default_factory=dict)

    def is_holiday(self, day: date) -> bool:
        return bool(holiday_name(day, self.extra))

    def is_open(self, moment: datetime) -> bool:
        return calendar.is_open(moment, self.windows, self.is_holiday, self._spans())

    def next_opening(self, moment: datetime) -> datetime | None:
        return calendar.next_opening(moment, self.windows, self.is_holiday, self._spans())

    def frozen_by(self, moment: datetime) -> tuple[Freeze, ...]:
        return tuple(freeze for freeze in self.freezes if freeze.span().holds(moment))

    def _spans(self) -> list[calendar.Span]:
        return [freeze.span() for freeze in self.freezes]


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a task may not start now, and when it may; `opens_at` is None where that is more than a year away."""

    kind: HoldKind
    opens_at: datetime | None
    freezes: tuple[Freeze, ...] = ()

    @property
    def why(self) -> str:
        """The reason alone, where the time is shown beside it."""
        if self.kind == HoldKind.FREEZE:
            return _("Changes are frozen: %(names)s.") % {"names": ", ".join(freeze.name for freeze in self.freezes)}
        if self.kind == HoldKind.LATER:
            return _("It was approved to be run later.")
        return _("The change window is closed.")

    def __str__(self) -> str:
        if self.opens_at is None:
            when = _("No opening is in sight.")
        else:
            when = _("Expected start: %(time)s.") % {"time": f"{localtime(self.opens_at):%Y-%m-%d %H:%M}"}
        return f"{self.why} {when}"


class HoursBook:
    """The rules of some institutions, read once. `since`: freezes that ended before are left out. `names_days=False`:
    nobody looks at the days, so that holidays of their own count only where a window minds them."""

    def __init__(self, institution_ids: Collection[int], since: datetime, *, names_days: bool = True) -> None:
        ours = Q(institution=None) | Q(institution__in=institution_ids)
        self._windows = list(ChangeWindow.objects.filter(institution__in=institution_ids, is_active=True))
        self._freezes = list(Freeze.objects.filter(ours, ends_at__gt=since).order_by("starts_at"))
        minds_days = names_days or any(window.on_holidays != OnHolidays.ALLOWED for window in self._windows)
        self._extra = list(ExtraHoliday.objects.filter(ours)) if minds_days else []

    def hours_at(self, place: Place, excepted: Collection[int] = ()) -> Hours:
        """The rules of a place; `excepted` are keys of freezes that don't count."""
        freezes = tuple(freeze for freeze in self._freezes if freeze.pk not in excepted and _concerns(freeze, place))
        extra = {row.day: row.name for row in self._extra if row.institution_id in (None, place.institution_id)}
        return Hours([window.weekly() for window in self.windows_at(place)], freezes, extra)

    def windows_at(self, place: Place) -> list[ChangeWindow]:
        """The windows that say most: of system and tier, of the system, of the tier, of the institution."""
        ours = [window for window in self._windows if window.institution_id == place.institution_id]
        tier = min(place.tiers, default=None)
        levels = ((place.system_id, tier), (place.system_id, None), (None, tier), (None, None))
        for system_id, tier_said in levels:
            found = [window for window in ours if (window.system_id, window.tier) == (system_id, tier_said)]
            if found:
                return found
        return []


@dataclass(frozen=True, slots=True)
class Exposure:
    """By task key: the tiers of the servers it touches, and the freezes that don't count for it."""

    tiers: Mapping[int, Collection[int]]
    excepted: Mapping[int, Collection[int]]

    @classmethod
    def read(cls, tasks: Iterable[OpsTask]) -> "Exposure":
        """Two queries, however many tasks."""
        keys = [task.pk for task in tasks]
        tiers: dict[int, set[int]] = defaultdict(set)
        servers = Server.objects.filter(tasks__in=keys).order_by()
        for task_pk, tier in servers.values_list("tasks", "site__tier").distinct():
            tiers[int(task_pk)].add(int(tier))
        excepted: dict[int, set[int]] = defaultdict(set)
        granted = FreezeException.objects.filter(task__in=keys, status=ExceptionStatus.GRANTED)
        for row in granted.only("task_id", "freeze_id"):
            excepted[row.task_id].add(row.freeze_id)
        return cls(tiers, excepted)


def hours_of_tasks(
    tasks: Iterable[OpsTask], since: datetime | None = None, exposure: Exposure | None = None
) -> dict[int, Hours]:
    """Task key → the rules that hold for it, granted exceptions included. At most five queries, however many tasks;
    three where a page has read the `exposure` already."""
    tasks = list(tasks)
    book = HoursBook({task.institution_id for task in tasks}, since or now(), names_days=False)
    exposure = exposure or Exposure.read(tasks)
    return {
        task.pk: book.hours_at(
            Place(task.institution_id, task.system_id, frozenset(exposure.tiers.get(task.pk, ()))),
            exposure.excepted.get(task.pk, ()),
        )
        for task in tasks
    }


def hold_by(hours: Hours, task: OpsTask, moment: datetime) -> Hold | None:
    """What these rules say about the task at this moment; None where it may start."""
    later = task.scheduled_for
    if later is not None and later > moment:
        return Hold(HoldKind.LATER, hours.next_opening(later))
    if hours.is_open(moment):
        return None
    frozen = hours.frozen_by(moment)
    return Hold(HoldKind.FREEZE if frozen else HoldKind.WINDOW, hours.next_opening(moment), frozen)


def hold_on(task: OpsTask, *, in_windows: bool = True) -> Hold | None:
    """What holds the task now, read anew. `in_windows=False`: a PM has lifted the windows; freezes hold still."""
    moment = now()
    hours = hours_of_tasks([task], moment)[task.pk]
    return hold_by(hours if in_windows else replace(hours, windows=()), task, moment)


def _concerns(freeze: Freeze, place: Place) -> bool:
    return (
        freeze.institution_id in (None, place.institution_id)
        and freeze.system_id in (None, place.system_id)
        and (freeze.tier is None or freeze.tier in place.tiers)
    )
