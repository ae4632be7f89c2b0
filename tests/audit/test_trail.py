"""What somebody did is found by login, task or action, each by one column's exact value, and never beyond the scope."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.choices import Role
from accounts.models import Institution, User
from audit.models import Entry
from audit.selectors import entries_found, entries_visible_to
from audit.services import record
from tests.doors import browser
from tests.factories import make_institution, make_user

pytestmark = pytest.mark.django_db
LIST = "/admin/audit/entry/"


@transaction.atomic
def did(actor: User | str, action: str, institution: Institution | None, task_id: str = "") -> Entry:
    return record(action=action, actor=actor, institution=institution, task_id=task_id)


def found(reader: User, words: str) -> list[Entry]:
    return list(entries_found(entries_visible_to(reader), words).order_by("pk"))


def test_each_kind_of_word_finds_its_own_and_several_narrow_down() -> None:
    mine, reader = make_institution(), make_user(Role.AUDITOR)
    person, other = make_user(Role.PM, mine), make_user(Role.PM, mine)
    first = did(person, "approval.approved", mine, "OPS-20261121-001")
    second = did(person, "task.read", mine, "OPS-20261121-002")
    third = did(other, "approval.approved", mine, "OPS-20261121-001")
    name = person.username
    assert found(reader, name) == [first, second] == found(reader, f"user:{person.pk}:{name}")
    assert found(reader, "ops-20261121-001") == [first, third]
    assert found(reader, "  approval.approved  ") == [first, third]
    assert found(reader, f"approval.approved {name}") == [first] and found(reader, f"{name} {other.username}") == []
    assert found(reader, name[:-1]) == [] == found(reader, "approval") and len(found(reader, "")) >= 3


@pytest.mark.parametrize("words", ["%", "'", "user:1:%", "\\", "OPS-1", "a" * 5000, " ".join("b" * 99), "가.나"])
def test_odd_words_find_nothing_and_break_nothing(words: str) -> None:
    did("guardia", "test.done", make_institution())
    assert found(make_user(Role.AUDITOR), words) == []
    assert browser(make_user(Role.AUDITOR)).get(LIST, {"q": words}).status_code == 200


def test_nothing_is_found_beyond_the_scope() -> None:
    mine, theirs = make_institution(), make_institution()
    person = make_user(Role.PM, theirs)
    own, foreign = did(person, "task.read", mine), did(person, "task.read", theirs)
    assert found(make_user(Role.AUDITOR, mine), person.username) == [own]
    assert found(make_user(Role.AUDITOR, theirs), person.username) == [foreign]


def test_the_list_leads_from_an_entry_to_all_that_its_actor_did_and_asks_by_index() -> None:
    mine = make_institution()
    person, reader = make_user(Role.PM, mine), browser(make_user(Role.AUDITOR, mine))
    did(person, "task.read", mine)
    page = reader.get(LIST).content.decode()
    assert f'href="?q=user%3A{person.pk}%3A{person.username}"' in page
    with CaptureQueriesContext(connection) as queries:
        assert reader.get(LIST, {"q": f"user:{person.pk}:{person.username}"}).status_code == 200
    asked = [query["sql"] for query in queries if "audit_entry" in query["sql"] and "actor" in query["sql"]]
    assert asked and not any("UPPER(" in sql or "regexp_replace" in sql for sql in asked)
