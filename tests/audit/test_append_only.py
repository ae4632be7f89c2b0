"""The database refuses what would change the past, by the ORM and by SQL, to everybody but the tables' owner."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import Chain, Entry
from audit.verifying.all_chains import verify_all
from tests.audit.forgery import make_chain
from tests.snapshot import nothing_changes

pytestmark = pytest.mark.django_db

REFUSED = [
    "UPDATE audit_entry SET actor = 'nobody'",
    "UPDATE audit_entry SET body = body",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry CASCADE",
    "TRUNCATE audit_chain CASCADE",
    "DELETE FROM audit_chain",
    "UPDATE audit_chain SET head_number = head_number - 1",
    "UPDATE audit_chain SET head_number = 0",
    "UPDATE audit_chain SET head_hash = repeat('0', 64)",
    "UPDATE audit_chain SET key = 'institution:OTHER', head_number = head_number + 1",
    "INSERT INTO audit_entry SELECT * FROM audit_entry",
    "INSERT INTO audit_entry (chain_id, number, recorded_at, action, actor, task_id, object_type, object_id, body,"
    " prev_hash, hash) SELECT chain_id, number, recorded_at, action, actor, '', '', '', body, prev_hash, hash"
    " FROM audit_entry",
]


@pytest.fixture(autouse=True)
def truncate_guarded() -> None:
    """The suite lifts the TRUNCATE trigger for its own cleaning (tests/conftest.py); here it is back, as in life."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_no_truncate%%'")
        names = [name for (name,) in cursor.fetchall()]
        assert len(names) == 1
        cursor.execute(f'ALTER TABLE audit_entry ENABLE TRIGGER "{names[0]}"')


@pytest.mark.parametrize("sql", REFUSED)
def test_sql_that_changes_the_past_is_refused(sql: str) -> None:
    make_chain(3)
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert all(report.is_intact for report in verify_all())


def test_the_orm_is_refused_likewise() -> None:
    chain = make_chain(3)
    entry = chain.entries.get(number=2)

    def rewind() -> None:
        chain.head_number = 1
        chain.save()

    for act in (
        entry.save,
        entry.delete,
        Entry.objects.all().delete,
        lambda: Entry.objects.filter(pk=entry.pk).update(task_id="OPS-1"),
        chain.delete,
        rewind,
        lambda: Chain.objects.filter(pk=chain.pk).update(head_hash="0" * 64),
    ):
        with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_a_number_is_given_once() -> None:
    chain = make_chain(2)
    entry = chain.entries.get(number=2)
    entry.pk = None
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic():
        entry.save(force_insert=True)
