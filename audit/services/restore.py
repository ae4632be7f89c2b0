"""Rows put back from an export that verifies: the way out of a broken range when somebody kept a copy."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from accounts.models import User
from audit.chain import genesis
from audit.exceptions import ReasonNeeded
from audit.models import Chain, Entry
from audit.services.record import record
from audit.verifying.all_chains import anchors_of, checkpoint_lines
from audit.verifying.rows import Row, rows_between
from audit.verifying.sequence import sound_hashes
from guardia.common.errors import InvalidInput

_TABLES = ("audit_entry", "audit_chain")


@dataclass(slots=True)
class Comparison:
    """Chain → the numbers that differ between the table and the export, and what was done about them."""

    differing: dict[str, list[int]] = field(default_factory=dict)
    restored: int = 0


@transaction.atomic
def restore(*, actor: User | str, path: Path, reason: str, dry_run: bool) -> Comparison:
    """Compare each chain of an export with its rows, and put back the sealed ones that differ.

    Only what the export proves is put back: its chain must be sound from the genesis on, and agree with a signed
    checkpoint of ours. Entries after the export's end stay. Raises InvalidInput, ReasonNeeded.
    """
    if not dry_run and not reason.strip():
        raise ReasonNeeded
    comparison = Comparison()
    anchors = anchors_of(checkpoint_lines())
    for key, rows in _chains_of(path):
        hashes = sound_hashes(rows, key, 1, genesis(key))
        lengths = {head.length: head.head_hash for head in anchors.get(key, []) if head.length <= len(hashes)}
        wrong = [length for length, digest in lengths.items() if hashes[length - 1].hex() != digest]
        if len(hashes) != len(rows) or wrong or (rows and not lengths):
            raise InvalidInput(f"{key}: the export doesn't prove this chain")
        chain = Chain.objects.select_for_update().filter(key=key).first()
        if chain is None:
            raise InvalidInput(f"{key}: there is no such chain here")
        sealed = max(lengths, default=0)
        differing = _differing(chain, rows[:sealed])
        if differing:
            comparison.differing[key] = differing
            if not dry_run:
                comparison.restored += _put_back(chain, [rows[number - 1] for number in differing])
    if comparison.restored:
        facts: dict[str, Any] = {"chains": {key: len(numbers) for key, numbers in comparison.differing.items()}}
        record(action="chain.restored", actor=actor, institution=None, summary=reason, file=path.name, **facts)
    return comparison


def _chains_of(path: Path) -> Iterator[tuple[str, list[Row]]]:
    key, rows = "", list[Row]()
    with path.open(encoding="utf-8") as file:
        for line in file:
            value: dict[str, Any] = json.loads(line)
            if value["type"] in ("chain", "end"):
                if key:
                    yield key, rows
                key, rows = value.get("key", ""), []
            elif value["type"] == "entry":
                rows.append(Row(*(str(value[name]).encode() for name in Row._fields)))


def _differing(chain: Chain, rows: list[Row]) -> list[int]:
    """The numbers whose row here isn't byte for byte the export's, or isn't there once."""
    here: dict[bytes, list[Row]] = {}
    for row in rows_between(chain.pk, None, len(rows)):
        here.setdefault(row.number, []).append(row)
    return [int(row.number) for row in rows if here.get(row.number) != [row]]


def _put_back(chain: Chain, rows: list[Row]) -> int:
    """As the tables' owner: the triggers are lifted within this transaction, which writes an entry about it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        Entry.objects.filter(chain=chain, number__in=[int(row.number) for row in rows]).delete()
        moved = {"number__gt": int(rows[-1].number), "hash__in": [row.hash.decode() for row in rows]}
        Entry.objects.filter(chain=chain, **moved).delete()  # pushed up by an insertion
        Entry.objects.bulk_create([_entry(chain, row) for row in rows], batch_size=1000)
        last = Entry.objects.filter(chain=chain).order_by("number").last()
        if last is not None:
            Chain.objects.filter(pk=chain.pk).update(head_number=last.number, head_hash=last.hash)
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return len(rows)


def _entry(chain: Chain, row: Row) -> Entry:
    values = {name: value.decode() for name, value in row._asdict().items()}
    return Entry(chain=chain, **{**values, "number": int(row.number)})
