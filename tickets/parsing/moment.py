"""The moment that a request asks to be done at, where its words leave no doubt: "오늘 밤 10시 이후" is 22:00 today.

What is a deadline, a part of a day, an hour that may be of the morning or the evening, or past is not a moment: people
are asked then (the task is held until somebody starts it).
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from .numbers import spoken_number

_DAYS_AHEAD: Mapping[str, int] = {"오늘": 0, "금일": 0, "당일": 0, "내일": 1, "명일": 1, "익일": 1, "모레": 2}
_WEEKDAYS = "월화수목금토일"
#: Hours that a part of the day may name, and what makes them hours of 24 (밤 12시 is the midnight that follows).
_PARTS: Mapping[str, Mapping[int, int]] = {
    "새벽": {hour: hour for hour in range(1, 7)},
    "아침": {hour: hour for hour in range(5, 12)},
    "오전": {hour: hour for hour in range(1, 12)},
    "낮": {11: 11, 12: 12, **{hour: hour + 12 for hour in range(1, 6)}},
    "점심": {11: 11, 12: 12, 1: 13, 2: 14},
    "오후": {12: 12, **{hour: hour + 12 for hour in range(1, 12)}},
    "저녁": {hour: hour + 12 for hour in range(5, 12)},
    "밤": {**{hour: hour + 12 for hour in range(7, 12)}, 12: 24},
}
_ELEVEN_TWELVE: Mapping[str, int] = {"열한": 11, "열두": 12}
_SURELY_24_HOURS = 13  # "10시" may be of the morning or the evening, "22시" can't
_NEAR_DAYS = 60  # "1월 5일" in December is the next one; "10월 5일" in November is past
_LAST_HOUR, _LAST_MINUTE = 24, 59

_CLOCK = re.compile(
    r"(?P<part>새벽|아침|오전|낮|점심|오후|저녁|밤|야간|심야)? ?"
    r"(?:(?P<h>\d{1,2}):(?P<m>\d{2})|(?P<hour>\d{1,2}|[가-힣]{1,2})시(?: ?(?P<half>반)| ?(?P<minute>\d{1,2})분)?)"
    r"|(?P<word>자정|정오)"
)
_FULL_DATE = re.compile(r"(?P<y>20\d{2})[.\-/년] ?(?P<mo>\d{1,2})[.\-/월] ?(?P<d>\d{1,2})[.일]?")
_MONTH_DAY = re.compile(r"(?<![\d.])(?P<mo>\d{1,2})(?:월 ?|/|\.)(?P<d>\d{1,2})[.일]?(?![\d:시])")
_WEEK_DAY = re.compile(rf"(?:(?P<week>이번|금|다음|차) ?주 ?)?(?P<day>[{_WEEKDAYS}])요일")
_DEADLINE = re.compile(r"까지|이전|(?<!오)전(?!체|부|산)|동안|이내|안에|안으로")
_CORRECTED = re.compile(r"^\s?(?:이|가|은|는)?\s?(?:말고|아니|대신|에서)")
_PAST = re.compile(r"(?:어제|그제|그저께|엊그제|어젯밤|지난|작년)\s*(?:\S{1,3}\s*)?$")


def asked_moment(text: str, when: str, at: datetime, *, relative: bool = True) -> datetime | None:
    """The moment that `when`, found in `text`, names; None where it names none for certain.

    `at` (aware, in the zone of the people) is when it was said; with `relative=False` words such as "내일" are not
    understood, because nobody knows the day they were said on.
    """
    before, _, after = text.partition(when)
    if _DEADLINE.search(when) or _PAST.search(before) or _CORRECTED.search(after):
        return None
    clock = _CLOCK.search(when)
    if clock is None:
        return None
    minutes = _minutes(clock)
    if minutes is None:
        return None
    day = _day(when[: clock.start()], at.date(), relative=relative, is_midnight=clock["word"] == "자정")
    if day is None:
        return None
    moment = datetime.combine(day, time(), at.tzinfo) + timedelta(minutes=minutes)
    if moment <= at and clock["part"] == "새벽" and not when[: clock.start()].strip():
        moment += timedelta(days=1)  # "새벽 2시에", said in the evening
    return moment if moment > at else None


def _minutes(clock: re.Match[str]) -> int | None:
    """Minutes from the start of the day; None where the hour isn't certain."""
    if clock["word"]:
        return 12 * 60 if clock["word"] == "정오" else 24 * 60
    spoken = clock["h"] or clock["hour"]
    hour = _ELEVEN_TWELVE.get(spoken, spoken_number(spoken))
    minute = 30 if clock["half"] else int(clock["m"] or clock["minute"] or 0)
    if hour is None or hour > _LAST_HOUR or minute > _LAST_MINUTE:
        return None
    has_zero = spoken.startswith("0") and bool(clock["h"])  # "02:00" is written the 24-hour way
    part = clock["part"]
    if part in _PARTS and hour in _PARTS[part]:
        hour = _PARTS[part][hour]
    elif part in ("오전", "새벽") and hour == 0:
        hour = 0
    elif not (hour >= _SURELY_24_HOURS or has_zero):
        return None
    return hour * 60 + minute


def _day(words: str, today: date, *, relative: bool, is_midnight: bool) -> date | None:
    if found := _FULL_DATE.search(words):
        return _date(int(found["y"]), int(found["mo"]), int(found["d"]))
    if found := _MONTH_DAY.search(words):
        return _coming(int(found["mo"]), int(found["d"]), today)
    if not relative:
        return None
    if found := _WEEK_DAY.search(words):
        return _weekday(found["week"], _WEEKDAYS.index(found["day"]), today)
    ahead = next((days for word, days in _DAYS_AHEAD.items() if word in words), None)
    if is_midnight and ahead:
        return None  # "내일 자정": the one tonight, or the one tomorrow night?
    if ahead is not None:
        return today + timedelta(days=ahead)
    return None if words.strip() else today


def _weekday(week: str | None, weekday: int, today: date) -> date | None:
    monday = today - timedelta(days=today.weekday())
    if week in ("이번", "금"):
        return monday + timedelta(days=weekday)
    if week in ("다음", "차"):
        return monday + timedelta(days=7 + weekday)
    days = (weekday - today.weekday()) % 7
    return today + timedelta(days=days) if days else None  # said on that day: today, or in a week?


def _coming(month: int, day: int, today: date) -> date | None:
    found = _date(today.year, month, day)
    if found is None or found >= today:
        return found
    following = _date(today.year + 1, month, day)
    return following if following and (following - today).days <= _NEAR_DAYS else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
