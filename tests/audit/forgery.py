"""What somebody with the table owner's rights could do to a chain: the triggers are off while they work."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from accounts.models import Institution
from audit.models import Chain
from audit.services import record
from tests.factories import make_institution


@contextmanager
def triggers_off() -> Iterator[None]:
    """The table owner's way past them; deferred checks are settled first, or PostgreSQL refuses."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
            " AND tgrelid IN ('audit_entry'::regclass, 'audit_chain'::regclass, 'audit_checkpoint'::regclass)"
        )
        triggers = cursor.fetchall()
        for table, name in triggers:
            cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')
        yield
        for table, name in triggers:
            cursor.execute(f'ALTER TABLE {table} ENABLE TRIGGER "{name}"')


def forge(sql: str, *params: Any) -> None:
    """Run SQL against the chain as its owner."""
    with triggers_off(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def make_chain(length: int, institution: Institution | None = None) -> Chain:
    """A chain of `length` entries of different kinds."""
    institution = institution or make_institution()
    with transaction.atomic():
        for number in range(1, length + 1):
            record(
                action=f"test.act{number % 3}",
                actor=f"tester {number % 2}",
                institution=institution,
                subject=institution if number % 2 else None,
                task_id=f"OPS-20260101-{number:03d}",
                summary=f"{number}번째 일",
                number=number,
            )
    return Chain.objects.get(key=f"institution:{institution.code}")
