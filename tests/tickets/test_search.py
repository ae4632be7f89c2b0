"""Finding tasks: like a look at every text, but by an index."""

import random

import pytest
from django.db import connection

from tests.factories import Tenant, due_steps
from tickets.models import OpsTask
from tickets.selectors import search_tasks

pytestmark = pytest.mark.django_db
TEXTS = [
    "예산시스템 WAS 2호기 재기동해 주세요",
    "민원시스템 로그 정리 요청합니다 (100%_완료)",
    "Restart the was of 예산\n둘째 줄",
    "디스크를 비워 주세요 \\ 'quoted' \"words\"",
    "🙂 이모지와 Ünïcode",
    "가",
    "",
]


@pytest.fixture
def tasks() -> list[OpsTask]:
    rows = [step.round.task for step in due_steps(Tenant(servers=1), len(TEXTS))]
    for row, text in zip(rows, TEXTS, strict=True):
        row.text = text
        row.save()
    return rows


def found(words: str) -> set[str]:
    return set(search_tasks(OpsTask.objects.all(), words).values_list("text", flat=True))


def test_whatever_is_in_a_text_finds_it_and_nothing_else(tasks: list[OpsTask]) -> None:
    chance = random.Random(7)
    parts = {text[start : start + chance.randint(2, 9)] for text in TEXTS for start in range(len(text) - 1)} | {
        "없는 말",
        "%%",
        "__",
        "산시기",
        "2호기 재기동",
        "WAS",
        "wAs",
    }
    for part in (part for part in parts if len(part) > 1):
        assert found(part) == {text for text in TEXTS if part.upper() in text.upper()}, part
    assert found("예산") == {TEXTS[0], TEXTS[2]}
    assert found("가") == found("") == found("\x00") == set(), "a single letter is no search"


def test_a_number_finds_the_tasks_that_begin_so(tasks: list[OpsTask]) -> None:
    whole = tasks[0].task_id
    day = whole[4:12]
    assert found(whole) == found(whole.lower()) == found(whole[4:]) == {TEXTS[0]}
    assert found(day) == found("OPS-") == found("ops") == found(f"OPS-{day}-") == set(TEXTS)
    assert found("OPS-1999") == found("19990101") == set()


def test_the_database_has_an_index_for_either(tasks: list[OpsTask]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    assert "task_by_words" in search_tasks(OpsTask.objects.all(), "재기동").explain()
    assert "task_id" in search_tasks(OpsTask.objects.all(), tasks[0].task_id).explain()
