"""Recomputes a chain from its rows and names the first entry that isn't what was recorded."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit.chain import entry_hash, genesis
from audit.models import Chain, Entry
from guardia.common.canonical import canonical_bytes, moment_text

#: Columns that repeat a field of the body, and must agree with it.
_COLUMNS = ("action", "actor", "task_id", "object_type", "object_id")


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong in one chain. `kind`: altered, missing, cut_tail, foreign_head, reordered."""

    chain: str
    number: int
    kind: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    chain: str
    entries: int
    head_hash: str
    fault: Fault | None

    @property
    def is_intact(self) -> bool:
        return self.fault is None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "intact": self.is_intact}


def verify_all(chains: QuerySet[Chain] | None = None) -> list[ChainReport]:
    """A report per chain, all read in one snapshot so that writers don't look like forgers."""
    queryset = (Chain.objects.all() if chains is None else chains).order_by("key")
    connection = transaction.get_connection()
    if connection.in_atomic_block:  # the caller's transaction decides what is seen
        return [verify_chain(chain) for chain in queryset]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return [verify_chain(chain) for chain in queryset]


def verify_chain(chain: Chain) -> ChainReport:
    """Walk one chain in order; stops at the first fault. Memory stays flat however long the chain is."""
    expected_number, prev_hash = 1, genesis(chain.key)
    for entry in _entries(chain):
        fault = _fault_of(chain, entry, expected_number, prev_hash)
        if fault is not None:
            return ChainReport(chain.key, expected_number - 1, prev_hash, fault)
        expected_number, prev_hash = expected_number + 1, entry.hash
    entries = expected_number - 1
    fault = None
    if chain.head_number > entries:
        fault = Fault(
            chain.key, entries + 1, "cut_tail", f"the chain had {chain.head_number} entries, {entries} are left"
        )
    elif (chain.head_number, chain.head_hash) != (entries, prev_hash):
        fault = Fault(chain.key, entries, "foreign_head", "the chain's head is not its last entry")
    return ChainReport(chain.key, entries, prev_hash, fault)


def _entries(chain: Chain) -> Iterator[Entry]:
    return chain.entries.order_by("number").iterator(chunk_size=2000)


def _fault_of(chain: Chain, entry: Entry, number: int, prev_hash: str) -> Fault | None:
    def fault(kind: str, detail: str) -> Fault:
        return Fault(chain.key, min(number, entry.number), kind, detail)

    if entry.number != number:
        return fault("missing", f"entry {number} is missing, {entry.number} follows")
    if entry_hash(entry.body.encode()) != entry.hash:
        return fault("altered", "the body does not give the recorded hash")
    try:
        body = json.loads(entry.body)
        is_canonical = isinstance(body, dict) and canonical_bytes(body) == entry.body.encode()
    except (ValueError, TypeError, RecursionError):
        is_canonical = False
    if not is_canonical:
        return fault("altered", "the body is not a canonical JSON object")
    if (body.get("chain"), body.get("number")) != (chain.key, number):
        return fault("reordered", "the body belongs to another place")
    if not prev_hash == entry.prev_hash == body.get("prev_hash"):
        return fault("reordered", "the entry does not follow the one before it")
    for column in _COLUMNS:
        if getattr(entry, column) != body.get(column):
            return fault("altered", f"column {column} differs from the sealed body")
    if moment_text(entry.recorded_at) != body.get("recorded_at"):
        return fault("altered", "column recorded_at differs from the sealed body")
    return None
