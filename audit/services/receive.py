"""Entries of a chain that is kept elsewhere: taken as they are, in order, and never before they were verified."""

import json
import re
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from audit.chain import entry_hash, genesis
from audit.data_keys import wrap
from audit.exceptions import ForeignEntryRefused
from audit.models import Chain, DataKey, Entry
from audit.verifying.rows import Row
from audit.verifying.soundness import sound_body

_COLUMNS = ("prev_hash", "recorded_at", "action", "actor", "task_id", "object_type", "object_id")
_KEY_ID = re.compile(r"[0-9a-f]{16}")


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


def receive_keys(*, key: str, keys: Sequence[dict[str, str]]) -> None:
    """Keep the data keys of the chain `key` that come from where it is written, under the vault's key of this place;
    those that are known stay as they are, erased ones too. Raises ValueError for what is no key.
    """
    if not keys:
        return
    chain = Chain.objects.get_or_create(key=key, defaults={"head_hash": genesis(key)})[0]
    rows = []
    for said in keys:
        clear, key_id, subject = bytes.fromhex(said["key"]), said["id"], said["about"]
        if len(clear) != 32 or not _KEY_ID.fullmatch(key_id) or not 0 < len(subject) <= 64:
            raise ValueError("no data key")
        rows.append(DataKey(chain=chain, key_id=key_id, subject=subject, wrapped=wrap(clear, key_id, key, subject)))
    DataKey.objects.bulk_create(rows, ignore_conflicts=True)


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
