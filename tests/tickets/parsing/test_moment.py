"""When a request asks to be done: only what leaves no doubt becomes a time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tickets.parsing.moment import asked_moment
from tickets.parsing.times import find_when

SEOUL = ZoneInfo("Asia/Seoul")
AT = datetime(2026, 11, 21, 15, 30, tzinfo=SEOUL)  # a Saturday afternoon

CERTAIN = [
    ("오늘 밤 10시에 WAS 재기동해 주세요", "2026-11-21 22:00"),
    ("오늘 밤 10시 이후 재기동 부탁드립니다", "2026-11-21 22:00"),
    ("밤 11시 30분에 배포해 주세요", "2026-11-21 23:30"),
    ("밤 열한시 반에 배포해 주세요", "2026-11-21 23:30"),
    ("오늘 밤 12시에 배포해 주세요", "2026-11-22 00:00"),
    ("오늘 자정에 재기동해 주세요", "2026-11-22 00:00"),
    ("내일 새벽 2시에 배포해 주세요", "2026-11-22 02:00"),
    ("새벽 두시에 배포해 주세요", "2026-11-22 02:00"),
    ("내일 오전 9시 재기동", "2026-11-22 09:00"),
    ("내일 정오에 재기동", "2026-11-22 12:00"),
    ("모레 오후 3시 반에 재기동", "2026-11-23 15:30"),
    ("22:00에 재기동 바랍니다", "2026-11-21 22:00"),
    ("내일 02:00~04:00 사이에 배포 바랍니다", "2026-11-22 02:00"),
    ("11월 25일 22:00 배포 예정", "2026-11-25 22:00"),
    ("11/25 22시부터 배포", "2026-11-25 22:00"),
    ("2026.12.01 18:30에 배포", "2026-12-01 18:30"),
    ("1월 5일 오전 6시에 배포", "2027-01-05 06:00"),
    ("다음 주 월요일 오후 6시 이후 배포", "2026-11-23 18:00"),
    ("이번 주 일요일 새벽 3시 배포", "2026-11-22 03:00"),
    ("화요일 저녁 7시에 배포", "2026-11-24 19:00"),
    ("작업일시: 11월 25일(수) 22:00\n재기동", "2026-11-25 22:00"),
]
DOUBTFUL = [
    "10시에 재기동해 주세요",  # which one?
    "내일 배포해 주세요",  # when?
    "야간에 배포해 주세요",
    "내일 자정에 배포해 주세요",  # which one?
    "오늘 밤 3시에 재기동",  # tonight's 3 o'clock is tomorrow's
    "토요일 밤 10시에 배포",  # said on a Saturday
    "오늘 오전 9시에 재기동",  # past
    "오늘 밤 10시까지 재기동해 주세요",  # a deadline
    "내일 오전 9시 이전에 배포해 주세요",
    "10월 5일 22:00 배포",  # past
    "2월 30일 22:00 배포",
    "25:10에 배포",
    "어제 밤 10시부터 느립니다. 재기동해 주세요",
    "오늘 밤 10시 말고 11시에 배포해 주세요",
    "이번 주 월요일 오후 6시에 배포",  # past
]


@pytest.mark.parametrize(("text", "expected"), CERTAIN, ids=[text for text, _ in CERTAIN])
def test_a_certain_time_is_taken(text: str, expected: str) -> None:
    when = find_when(text)
    assert when is not None
    moment = asked_moment(text, when, AT)
    assert moment is not None and f"{moment:%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize("text", DOUBTFUL)
def test_what_is_doubtful_is_left_to_people(text: str) -> None:
    when = find_when(text)
    assert when is None or asked_moment(text, when, AT) is None


def test_words_relative_to_another_day_are_not_taken() -> None:
    assert asked_moment("내일 밤 10시에", "내일 밤 10시", AT, relative=False) is None
    assert asked_moment("밤 10시에", "밤 10시", AT, relative=False) is None
    assert asked_moment("11월 25일 22:00", "11월 25일 22:00", AT, relative=False) is not None
