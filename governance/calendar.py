"""When work may be done: pure arithmetic on weekly windows, holidays and freezes, in the time of Seoul.

Every minute is judged by its own day. A window of Friday 22:00-06:00 belongs to Friday by its weekday, and yet its
hours after midnight are Saturday's: where Saturday is a holiday and the window is closed on holidays, it ends at 24:00.
No window at all means always open. Freezes win over windows. Seoul has no summer time, so a day has 24 hours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from governance.choices import OnHolidays

SEOUL = ZoneInfo("Asia/Seoul")
#: How far `next_opening` looks ahead.
SEARCH_DAYS = 400
_DAY = timedelta(days=1)
IsHoliday = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Weekly:
    """A window of every week. `weekdays` counts from Monday = 0; an end that isn't after the start: next day."""

    weekdays: frozenset[int]
    start: time
    end: time
    on_holidays: str = OnHolidays.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (included) to `end` (not included), aware."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def is_open(moment: datetime, windows: Sequence[Weekly], is_holiday: IsHoliday, freezes: Sequence[Span] = ()) -> bool:
    """Whether work may begin at `moment` (aware)."""
    if any(freeze.holds(moment) for freeze in freezes):
        return False
    return any(span.holds(moment) for span in hours_of_day(moment.astimezone(SEOUL).date(), windows, is_holiday))


def next_opening(
    moment: datetime, windows: Sequence[Weekly], is_holiday: IsHoliday, freezes: Sequence[Span] = ()
) -> datetime | None:
    """The first moment from `moment` on when work may begin (`moment` itself where it may now); None where there is
    none within SEARCH_DAYS."""
    limit = moment + timedelta(days=SEARCH_DAYS)
    for span in _hours_from(moment, windows, is_holiday):
        opening = _after_freezes(max(moment, span.start), freezes)
        if opening > limit:
            return None
        if opening < span.end:
            return opening.astimezone(moment.tzinfo)
    return None


def hours_of_day(day: date, windows: Sequence[Weekly], is_holiday: IsHoliday) -> list[Span]:
    """The open hours of one day in Seoul, freezes left aside: in order, without overlap."""
    midnight, next_midnight = _at(day, time()), _at(day + _DAY, time())
    if not windows:
        return [Span(midnight, next_midnight)]
    spans = []
    for window in windows:
        if not _fits(window.on_holidays, is_holiday(day)):
            continue
        for begun in (day - _DAY, day):
            start, end = _occurrence(window, begun)
            if begun.weekday() in window.weekdays and start < next_midnight and end > midnight:
                spans.append(Span(max(start, midnight), min(end, next_midnight)))
    return _merged(spans)


def _hours_from(moment: datetime, windows: Sequence[Weekly], is_holiday: IsHoliday) -> Iterator[Span]:
    first = moment.astimezone(SEOUL).date()
    for number in range(SEARCH_DAYS + 1):
        for span in hours_of_day(first + number * _DAY, windows, is_holiday):
            if span.end > moment:
                yield span


def _occurrence(window: Weekly, day: date) -> tuple[datetime, datetime]:
    ends_on = day if window.end > window.start else day + _DAY
    return _at(day, window.start), _at(ends_on, window.end)


def _fits(rule: str, is_a_holiday: bool) -> bool:
    if rule == OnHolidays.ALLOWED:
        return True
    return is_a_holiday == (rule == OnHolidays.ONLY)


def _after_freezes(moment: datetime, freezes: Sequence[Span]) -> datetime:
    """`moment`, or the end of the freezes that hold it one after the other."""
    for freeze in sorted(freezes, key=lambda span: span.start):
        if freeze.holds(moment):
            moment = freeze.end
    return moment


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, SEOUL)
