"""Many rows in one statement, where Django's own way costs more than the database's part in it."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def update_rows(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write these fields of many rows of one model, each row its own values, in one statement."""
    if not rows:
        return
    meta: Any = rows[0]._meta
    fields = [meta.pk, *(meta.get_field(name) for name in names)]
    arrays = ", ".join(f"%s::{_array_of(field)}" for field in fields)
    known = ", ".join(field.column for field in fields)
    changes = ", ".join(f"{field.column} = new.{field.column}" for field in fields[1:])
    values = [[field.get_db_prep_save(field.pre_save(row, False), connection) for row in rows] for field in fields]
    update = f"UPDATE {meta.db_table} AS old SET {changes} FROM unnest({arrays}) AS new ({known})"  # noqa: S608 - names
    with connection.cursor() as cursor:
        cursor.execute(f"{update} WHERE old.{meta.pk.column} = new.{meta.pk.column}", values)


def copy_rows(rows: Sequence[models.Model]) -> None:
    """Insert rows of one model whose keys nobody asks for. Several times as fast as INSERT, where Django makes each row
    an item of an array per column."""
    if not rows:
        return
    meta: Any = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    names = ", ".join(field.column for field in fields)
    with connection.cursor() as cursor, cursor.copy(f"COPY {meta.db_table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields])


def _array_of(field: Any) -> str:
    """Text without its length: a cast would cut it silently, the column complains."""
    kind = field.rel_db_type(connection)
    return "text[]" if kind.startswith("varchar") else f"{kind}[]"
