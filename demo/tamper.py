"""What somebody with the database's password could do: change a row of the chain past the program."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def altered_entry(pk: int) -> Iterator[None]:
    """The entry tells another actor within the block; the triggers are lifted for it, as only a table's owner can."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT actor FROM audit_entry WHERE id = %s", [pk])
        (actor,) = cursor.fetchone()
    _set_actor(pk, "user:1:somebody-else")
    try:
        yield
    finally:
        _set_actor(pk, actor)


def _set_actor(pk: int, actor: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE audit_entry SET actor = %s WHERE id = %s", [actor, pk])
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
