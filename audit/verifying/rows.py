"""The rows of a chain, streamed by COPY: memory stays flat, and nothing of the ORM is built for a million of them."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection

_COLUMNS = (
    "number, hash, prev_hash, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
    " action, actor, task_id, object_type, object_id, body"
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MEANS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class Row(NamedTuple):
    """One entry as it is stored, every value as UTF-8 bytes."""

    number: bytes
    hash: bytes
    prev_hash: bytes
    recorded_at: bytes
    action: bytes
    actor: bytes
    task_id: bytes
    object_type: bytes
    object_id: bytes
    body: bytes


def row_of(line: bytes) -> Row:
    """The row that COPY wrote as this line: fields between tabs, control characters and backslashes escaped."""
    fields = line[:-1].split(b"\t")
    if b"\\" in line:
        fields = [_ESCAPE.sub(lambda match: _MEANS.get(match[1], match[1]), field) for field in fields]
    return Row(*fields)


def lines_between(cursor: Any, chain_pk: int, after: int, upto: int) -> Iterator[bytes]:
    """The lines of the entries with `after` < number ≤ `upto`, by number; those with one number in any order.

    `cursor`: psycopg's own. Read to the end, or the transaction ends.
    """
    return _copied(cursor, chain_pk, after, upto, "number")


def rows_between(chain_pk: int, after: int | None, upto: int | None = None) -> Iterator[Row]:
    """The same as rows, over Django's connection; those with one number as they came. None: no bound."""
    with connection.cursor() as cursor:
        yield from map(row_of, _copied(cursor.cursor, chain_pk, after, upto, "number, id"))


def _copied(cursor: Any, chain_pk: int, after: int | None, upto: int | None, order: str) -> Iterator[bytes]:
    low = "" if after is None else "AND number > %s"
    high = "" if upto is None else "AND number <= %s"
    parameters = [chain_pk, *(bound for bound in (after, upto) if bound is not None)]
    query = f"COPY (SELECT {_COLUMNS} FROM audit_entry WHERE chain_id = %s {low} {high} ORDER BY {order}) TO STDOUT"  # noqa: S608 - constants of this module; values are parameters
    with cursor.copy(query, parameters) as copy:
        for line in copy:
            yield bytes(line)
