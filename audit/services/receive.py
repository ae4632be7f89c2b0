"""Entries of a chain that is kept elsewhere: taken as they are, in order, and never before they were verified."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from audit.chain import entry_hash, genesis
from audit.exceptions import ForeignEntryRefused
from audit.models import Chain, Entry
from audit.rows import Row
from audit.walk import sound_body

_COLUMNS = ("prev_hash", "recorded_at", "action", "actor", "task_id", "object_type", "object_id")


def receive_entries(*, key: str, bodies: Sequence[str]) -> int:
    """Append these bodies to the chain `key` in the caller's transaction, each as it was written where it happened;
    returns the chain's new length.

    Raises ForeignEntryRefused, naming the first that is not a sound entry or doesn't follow the one before it.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("entries are received in the transaction of what they tell of")
    Chain.objects.get_or_create(key=key, defaults={"head_hash": genesis(key)})
    chain = Chain.objects.select_for_update().get(key=key)
    entries = []
    for text in bodies:
        entry = _entry(chain, text)
        chain.head_number, chain.head_hash = entry.number, entry.hash
        entries.append(entry)
    if entries:
        Entry.objects.bulk_create(entries)
        chain.save(update_fields=["head_number", "head_hash"])
    return chain.head_number


def _entry(chain: Chain, text: str) -> Entry:
    number = chain.head_number + 1
    raw = text.encode()
    try:
        told = json.loads(raw)
        values = [told[name] for name in _COLUMNS]
        row = Row(str(number).encode(), entry_hash(raw).encode(), *[value.encode() for value in values], raw)  # type: ignore[call-arg]  # as many as the columns
        moment = datetime.fromisoformat(told["recorded_at"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ForeignEntryRefused(chain=chain.key, number=number) from error
    body = sound_body(row)
    if body is None or (body["chain"], body["number"], body["prev_hash"]) != (chain.key, number, chain.head_hash):
        raise ForeignEntryRefused(chain=chain.key, number=number)
    columns = {name: told[name] for name in _COLUMNS if name not in ("prev_hash", "recorded_at")}
    return Entry(
        **columns,
        chain=chain,
        number=number,
        recorded_at=moment,
        body=text,
        prev_hash=chain.head_hash,
        hash=row.hash.decode(),
    )
