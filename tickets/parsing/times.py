# ruff: noqa: E501 - word tables: one pattern a row reads better than wrapped ones
"""Times in a request: when the work is wanted, and the period that data or logs cover."""

import re

from .numbers import NATIVE, SINO, spoken_number

_DAY = (
    r"20\d{2}[.\-/년] ?\d{1,2}[.\-/월] ?\d{1,2}[.일]?|\d{1,2}월 ?\d{1,2}일|(?<![\d.v])\d{1,2}\.\d{1,2}\.(?!\d)|(?<![\d/\w])\d{1,2}/\d{1,2}(?![\d/])|"
    r"금일|명일|익일|당일|오늘|내일|모레|(?:이번|다음|지난) ?주 ?(?:[월화수목금토일]요일|주말)?|차주|금주|(?:이번|다음) ?(?:달|추석|설|연휴)(?: 연휴)?|"
    r"[월화수목금토일]요일|주말|\d{1,2}일(?=[ 에])|연휴 ?전|지금"
)
_CLOCK = (
    r"(?:(?:새벽|아침|오전|낮|점심|오후|저녁|밤|야간|심야) ?)?(?:\d{1,2}:\d{2}|\d{1,2}시(?!스템|간|청|작|험|설|민|행)(?: ?(?:반|\d{1,2}분|정각))?"
    rf"|(?:{NATIVE}|열한|열두)시(?: ?반)?)|자정|정오|새벽|저녁|야간|심야"
)
_TAIL = r"(?: ?(?:이후|이전|까지|쯤|경|사이|전(?!체|부)|부터|동안))?"
_WEEKDAY = r"(?: ?\([월화수목금토일]\))?"
_WHEN = re.compile(
    rf"(?:(?:{_DAY}){_WEEKDAY}(?:에)? ?)?(?:{_CLOCK})(?: ?[~∼-] ?(?:{_CLOCK}))?{_TAIL}|(?:{_DAY}){_WEEKDAY}{_TAIL}"
)
_WHEN_ENGLISH = re.compile(
    r"\b(?:until|before|after|by|at|on|tonight|tomorrow|today)\b(?: (?:tonight|tomorrow|today|next|this|(?:mon|tues|wednes|thurs|fri|satur|sun)day(?:'s \w+)?|\d{1,2}:\d{2}|\d{1,2} ?(?:am|pm))){1,4}|\b(?:tonight|tomorrow|today)\b",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"(?:작업 ?(?:시간|일시|희망(?:일시)?)|일시|희망 ?일시|예정 ?일시|시간)(?:은|는)? ?[:：]? ?([^\n]{2,40}?)(?: ?(?:입니다|이며|예정)|[.,]?\n|[.,]?$)"
)
_PERIOD = re.compile(
    rf"최근 ?(?:\d{{1,4}}|{SINO}{{1,3}}|{NATIVE}) ?(?:시간|일|주일?|개월|달|년|분)간?|\d{{1,2}}:\d{{2}} ?[~∼-] ?\d{{1,2}}:\d{{2}}|20\d{{2}} ?[~∼-] ?20\d{{2}}|"
    r"(?:어제|오늘|그제) ?하루|어젯밤|어제 ?(?:밤|새벽|저녁|오후|오전)?(?: ?\d{1,2}시(?:부터| ?[~-] ?\d{1,2}시)?)?|오늘 ?(?:새벽|아침|오전|오후)(?: ?\d{1,2}시(?: ?[~-] ?\d{1,2}시)?)?|"
    r"지난 ?(?:주|달|밤|분기|해)(?: ?[월화수목금토일]요일)?|\d{1,2}시 ?[~-] ?\d{1,2}시(?: ?사이)?|\d{1,2}시 ?정각|\d{1,2}월 ?\d{1,2}주차|\d{1,2}월 ?\d{1,2}일 ?[~-] ?(?:\d{1,2}월 ?)?\d{1,2}일|"
    r"20\d{2}년(?: ?\d{1,2}월)?(?!도? ?이전)|작년|올해|이번 ?달|\d{1,2}월(?! ?\d{1,2}일)|last (?:night|week|month|\d+ (?:days|hours))"
)
_UNIT_DAYS = {
    "일": 1,
    "주": 7,
    "주일": 7,
    "주치": 7,
    "개월": 30,
    "달": 30,
    "월": 30,
    "년": 365,
    "day": 1,
    "week": 7,
    "month": 30,
    "year": 365,
}
_SPAN = re.compile(
    rf"(?<![\d:./월])(?<!월 )(\d{{1,4}}|{SINO}{{1,4}}|{NATIVE})(?:-| )?(일|주일|주치|주|개월|달|년|days?|weeks?|months?|years?)(?!도|부터|요일|정)"
)
_FIXED = {"반년": 180, "보름": 15, "일주일": 7, "한달": 30, "한 달": 30}
_MONTHS_HALF_YEAR = 6
_LONGEST_SPAN_YEARS = 15  # "2020년 이전" and "24년 이전" are dates
_UNTIL_DATE = re.compile(
    r"(?:(?:19|20)\d{2}|(?<!\d)[1-9]\d) ?년도?(?: ?\d{1,2}월(?: ?\d{1,2}일)?)?(?: ?(?:말|초))?(?: ?(?:이전|이후|전|까지|부터|~ ?(?:19|20)\d{2}년?))?"
    r"|20\d{2}[.\-/]\d{1,2}(?:[.\-/]\d{1,2})?[.]? ?(?:이전|까지)"
)
_DAYS_CORRECTED = re.compile(r"^(?:치|간|전|이전)?(?:은|는|이|가|을|를)?\s?(?:말고|말구|아니고|아니라|대신|에서|→|->)")


def find_when(text: str) -> str | None:
    """The time or deadline of the work, verbatim."""
    if (label := _LABELLED.search(text)) and _WHEN.search(label.group(1)):
        return label.group(1).strip()
    if deadline := re.search(rf"(?:{_DAY}){_WEEKDAY}(?: ?(?:{_CLOCK}))?까지", text):
        return deadline.group()
    if (match := _WHEN_ENGLISH.search(text)) and re.search(r"[a-z]{4}", text):
        return match.group().strip()
    match = _WHEN.search(text)
    return match.group().strip() if match else None


def find_period(text: str) -> str | None:
    """The time range of the data or logs, verbatim."""
    match = _PERIOD.search(text)
    return match.group().strip() if match else None


def find_cut_off(text: str) -> str | None:
    """The calendar date or year that old data is cut off at ("2020년 이전"), verbatim; no span of time."""
    match = _UNTIL_DATE.search(text)
    return match.group().strip() if match else None


def find_days(text: str) -> tuple[int, int] | None:
    """The first span of time in days and its offset: 6개월 and 반년 are 180, 1년 365, 2주 14, 보름 15, 한 달 30.

    A span that was corrected away ("30일 말고 90일") is passed over; calendar years are no spans.
    """
    found: list[tuple[int, int]] = [(text.index(word), days) for word, days in _FIXED.items() if word in text]
    for match in _SPAN.finditer(text):
        value = spoken_number(match.group(1))
        unit = match.group(2).rstrip("s") if match.group(2).isascii() else match.group(2)
        is_date = unit == "년" and value is not None and value > _LONGEST_SPAN_YEARS
        if value and not is_date and not _DAYS_CORRECTED.match(text[match.end() : match.end() + 12]):
            half = unit in ("개월", "month") and value == _MONTHS_HALF_YEAR
            found.append((match.start(), 180 if half else value * _UNIT_DAYS[unit]))
    if not found:
        return None
    at, days = min(found)
    return days, at
