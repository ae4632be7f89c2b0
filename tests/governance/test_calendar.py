"""Windows, holidays and freezes as tables and properties; every time below is Seoul's."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.calendar import SEARCH_DAYS, SEOUL, Span, Weekly, hours_of_day, is_open, next_opening
from governance.choices import OnHolidays
from governance.holiday_names import holiday_name, public_holidays

WORKDAYS, WEEKEND, EVERY_DAY = frozenset(range(5)), frozenset({5, 6}), frozenset(range(7))
NIGHT = Weekly(WORKDAYS, time(22), time(6))
ALWAYS_NIGHT = Weekly(EVERY_DAY, time(22), time(6), OnHolidays.ALLOWED)
NOON = Weekly(WORKDAYS, time(12), time(13))
ON_HOLIDAYS = Weekly(EVERY_DAY, time(1), time(4), OnHolidays.ONLY)
WHOLE_SUNDAY = Weekly(frozenset({6}), time(0), time(0), OnHolidays.ALLOWED)


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def is_holiday(day: date) -> bool:
    return bool(holiday_name(day))


OPEN = [
    ("2026-11-20 21:59", [NIGHT], False),  # a Friday
    ("2026-11-20 22:00", [NIGHT], True),
    ("2026-11-20 23:59", [NIGHT], True),
    ("2026-11-21 00:00", [NIGHT], True),  # over midnight
    ("2026-11-21 05:59", [NIGHT], True),
    ("2026-11-21 06:00", [NIGHT], False),
    ("2026-11-21 22:00", [NIGHT], False),  # no window begins on a Saturday
    ("2026-11-23 02:00", [NIGHT], False),  # nor on a Sunday
    ("2026-11-20 12:00", [NIGHT, NOON], True),
    ("2026-11-20 13:00", [NIGHT, NOON], False),
    ("2026-11-22 00:00", [WHOLE_SUNDAY], True),
    ("2026-11-22 23:59", [WHOLE_SUNDAY], True),
    ("2026-11-23 00:00", [WHOLE_SUNDAY], False),
    ("2026-11-21 03:00", [], True),  # no window: always open
    # Hangul Day 2026 is a Friday
    ("2026-10-08 23:59", [NIGHT], True),
    ("2026-10-09 00:00", [NIGHT], False),  # the holiday's own hours are closed
    ("2026-10-09 22:30", [NIGHT], False),
    ("2026-10-10 00:30", [NIGHT], True),  # and Saturday's are not
    ("2026-10-09 03:00", [ALWAYS_NIGHT], True),
    ("2026-10-09 03:00", [ON_HOLIDAYS], True),
    ("2026-10-08 03:00", [ON_HOLIDAYS], False),
    ("2026-10-05 03:00", [ON_HOLIDAYS], True),  # a substitute holiday
    ("2026-12-31 23:00", [NIGHT], True),
    ("2027-01-01 00:00", [NIGHT], False),  # the new year begins with a holiday
    ("2027-01-01 00:00", [ALWAYS_NIGHT], True),
]


@pytest.mark.parametrize(("moment", "windows", "expected"), OPEN)
def test_a_moment_is_open_or_closed(moment: str, windows: list[Weekly], expected: bool) -> None:
    assert is_open(seoul(moment), windows, is_holiday) is expected
    assert is_open(seoul(moment).astimezone(UTC), windows, is_holiday) is expected
    assert (next_opening(seoul(moment), windows, is_holiday) == seoul(moment)) is expected


OPENINGS = [
    ("2026-11-20 10:00", [NIGHT], [], "2026-11-20 22:00"),
    ("2026-11-21 06:00", [NIGHT], [], "2026-11-23 22:00"),
    ("2026-10-08 06:00", [NIGHT], [], "2026-10-08 22:00"),
    ("2026-10-09 00:00", [NIGHT], [], "2026-10-10 00:00"),
    ("2026-12-31 13:00", [NOON], [], "2027-01-04 12:00"),  # holiday, weekend, and the next year
    ("2026-09-24 00:00", [NOON], [], "2026-09-28 12:00"),  # Chuseok and the weekend in it
    ("2026-10-05 05:00", [ON_HOLIDAYS], [], "2026-10-09 01:00"),
    ("2026-11-20 10:00", [], [("2026-11-20 09:00", "2026-11-22 08:30")], "2026-11-22 08:30"),
    ("2026-11-20 10:00", [NIGHT], [("2026-11-20 09:00", "2026-11-21 05:00")], "2026-11-21 05:00"),
    ("2026-11-20 10:00", [NIGHT], [("2026-11-20 09:00", "2026-11-21 06:00")], "2026-11-23 22:00"),
    ("2026-11-20 10:00", [], [("2026-11-20", "2026-11-21"), ("2026-11-21", "2026-11-25")], "2026-11-25 00:00"),
    ("2026-11-20 10:00", [], [("2026-11-20", "2028-11-21")], None),
    ("2026-11-20 10:00", [Weekly(frozenset(), time(1), time(2))], [], None),
]


@pytest.mark.parametrize(("moment", "windows", "freezes", "expected"), OPENINGS)
def test_the_next_opening(
    moment: str, windows: list[Weekly], freezes: list[tuple[str, str]], expected: str | None
) -> None:
    spans = [Span(seoul(start), seoul(end)) for start, end in freezes]
    assert next_opening(seoul(moment), windows, is_holiday, spans) == (seoul(expected) if expected else None)


def test_a_freeze_closes_what_is_open_and_ends_at_its_end() -> None:
    freeze = [Span(seoul("2026-11-20 23:00"), seoul("2026-11-21 01:00"))]
    for moment, expected in (("22:59", True), ("23:00", False)):
        assert is_open(seoul(f"2026-11-20 {moment}"), [NIGHT], is_holiday, freeze) is expected
    assert is_open(seoul("2026-11-21 01:00"), [NIGHT], is_holiday, freeze)


def test_hours_of_a_day_are_merged_and_end_at_midnight() -> None:
    hours = hours_of_day(date(2026, 11, 20), [NIGHT, Weekly(WORKDAYS, time(5), time(7))], is_holiday)
    assert [(span.start.strftime("%H:%M"), span.end.strftime("%d %H:%M")) for span in hours] == [
        ("00:00", "20 07:00"),
        ("22:00", "21 00:00"),
    ]


def test_holidays_are_korean_with_substitutes_and_own_days_win() -> None:
    assert public_holidays(2026)[date(2026, 9, 25)] == "추석"
    assert "대체" in holiday_name(date(2026, 10, 5))
    assert holiday_name(date(2026, 10, 9), language="en") == "Hangul Day"
    assert holiday_name(date(2026, 11, 20)) == ""
    assert holiday_name(date(2026, 11, 20), {date(2026, 11, 20): "창립기념일"}) == "창립기념일"


clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))
windows_drawn = st.lists(
    st.builds(Weekly, st.frozensets(st.integers(0, 6)), clocks, clocks, st.sampled_from(OnHolidays.values)), max_size=4
)
moments = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC))
spans_drawn = st.lists(
    st.builds(lambda start, hours: Span(start, start + timedelta(hours=hours)), moments, st.integers(1, 900)),
    max_size=3,
)


@settings(max_examples=80, deadline=None)
@given(moments, windows_drawn, spans_drawn)
def test_an_opening_is_open_and_nothing_before_it_is(
    moment: datetime, windows: list[Weekly], freezes: list[Span]
) -> None:
    opening = next_opening(moment, windows, is_holiday, freezes)
    if opening is None:
        assert not is_open(moment, windows, is_holiday, freezes)
        return
    assert moment <= opening <= moment + timedelta(days=SEARCH_DAYS)
    assert is_open(opening, windows, is_holiday, freezes)
    gap = (opening - moment) / 50
    assert not any(is_open(moment + gap * number, windows, is_holiday, freezes) for number in range(50) if gap)
    if opening > moment:
        assert not is_open(opening - timedelta(microseconds=1), windows, is_holiday, freezes)


@settings(max_examples=80, deadline=None)
@given(moments, windows_drawn)
def test_hours_of_a_day_agree_with_every_moment(moment: datetime, windows: list[Weekly]) -> None:
    hours = hours_of_day(moment.astimezone(SEOUL).date(), windows, is_holiday)
    assert all(span.start < span.end for span in hours)
    assert all(first.end < second.start for first, second in pairwise(hours))
    assert any(span.holds(moment) for span in hours) == is_open(moment, windows, is_holiday)
