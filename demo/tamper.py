"""What somebody with the database's password could do: change a row of the chain past the program, or rewrite the whole
chain from there on, with every hash and the head made again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from audit.chain import entry_hash
from audit.models import Chain, Entry
from guardia.common.canonical import canonical_bytes


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


@contextmanager
def rewritten_chain(entry: Entry) -> Iterator[None]:
    """Within the block the entry has another summary, and all after it other hashes: the chain agrees with itself."""
    rows = list(Entry.objects.filter(chain=entry.chain, number__gte=entry.number).order_by("number"))
    forged, before = [], entry.prev_hash
    for row in rows:
        changes = {"summary": "forged"} if row.pk == entry.pk else {}
        body = canonical_bytes({**json.loads(row.body), **changes, "prev_hash": before})
        forged.append((row.pk, body.decode(), before, entry_hash(body)))
        before = entry_hash(body)
    _set_rows(entry.chain, forged)
    try:
        yield
    finally:
        _set_rows(entry.chain, [(row.pk, row.body, row.prev_hash, row.hash) for row in rows])


def _set_rows(chain: Chain, rows: list[tuple[int, str, str, str]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table in ("audit_entry", "audit_chain"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for pk, body, prev_hash, digest in rows:
            row: list[str | int | None] = [body, prev_hash, digest, pk]
            cursor.execute("UPDATE audit_entry SET body = %s, prev_hash = %s, hash = %s WHERE id = %s", row)
        last = Entry.objects.filter(chain=chain).latest("number")
        Chain.objects.filter(pk=chain.pk).update(head_number=last.number, head_hash=last.hash)
        for table in ("audit_entry", "audit_chain"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
