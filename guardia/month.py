"""The blackout calendar: a month of days that are open, partly open, closed or frozen, for one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from governance.calendar import SEOUL, Span, hours_of_day
from governance.holiday_names import holiday_name
from governance.selectors_windows import Hours

DAY_STATES: dict[str, Promise] = {
    "open": pgettext_lazy("day", "Open"),
    "part": _("Partly open"),
    "closed": pgettext_lazy("day", "Closed"),
    "frozen": _("Frozen"),
}
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One cell: its state, its open hours as text, and what is special about it."""

    date: date
    state: str
    hours: tuple[str, ...]
    holiday: str
    freezes: tuple[str, ...]

    @property
    def label(self) -> Promise:
        return DAY_STATES[self.state]


def month_of(first: date, hours: Hours) -> list[list[Day | None]]:
    """Weeks from Sunday on; None where a cell belongs to another month."""
    days: list[Day | None] = [None] * ((first.weekday() + 1) % _WEEK)
    day = first
    while day.month == first.month:
        days.append(_day(day, hours))
        day += timedelta(days=1)
    days += [None] * (-len(days) % _WEEK)
    return [days[start : start + _WEEK] for start in range(0, len(days), _WEEK)]


def span_of(first: date) -> Span:
    """From the first moment of the month to the first of the next, in Seoul."""
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return Span(datetime.combine(first, time(), SEOUL), datetime.combine(following, time(), SEOUL))


def _day(day: date, hours: Hours) -> Day:
    whole = Span(datetime.combine(day, time(), SEOUL), datetime.combine(day + timedelta(days=1), time(), SEOUL))
    windows = hours_of_day(day, hours.windows, hours.is_holiday)
    freezes = [row for row in hours.freezes if row.starts_at < whole.end and row.ends_at > whole.start]
    left = _without(windows, [row.span() for row in freezes])
    closed = "frozen" if windows else "closed"
    state = closed if not left else "open" if left == [whole] else "part"
    return Day(
        day,
        state,
        tuple(_hours_text(span, whole) for span in left) if state == "part" else (),
        holiday_name(day, hours.extra, get_language() or "ko"),
        tuple(row.name for row in freezes),
    )


def _without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    left = list(spans)
    for hole in holes:
        pieces = [
            part
            for span in left
            for part in (Span(span.start, min(span.end, hole.start)), Span(max(span.start, hole.end), span.end))
        ]
        left = [piece for piece in pieces if piece.start < piece.end]
    return left


def _hours_text(span: Span, whole: Span) -> str:
    end = "24:00" if span.end == whole.end else f"{span.end.astimezone(SEOUL):%H:%M}"
    return f"{span.start.astimezone(SEOUL):%H:%M}–{end}"
