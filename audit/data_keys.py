"""Data keys at work: made at need, wrapped by the vault's key, and kept in memory while they may be used.

A key belongs to one chain, and is made and erased under the lock of its row; `Chain.key_epoch`, which writers read
with that lock, moves on when one is erased. So what is in memory is known to be good without asking anew.
"""

import secrets
import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from audit.choices import KeyStatus
from audit.models import Chain, DataKey
from guardia.common.sealing import derived_key, open_sealed, seal_bytes

_PURPOSE = "guardia entries 1"
_MOST = 4096
Place = tuple[int, str]  # a chain's primary key, and whom it is about


class Cipher(NamedTuple):
    key_id: str
    aead: AESGCM


class Opened(NamedTuple):
    """A stored key; without `aead` it was erased, or the vault's key doesn't open it."""

    is_erased: bool
    aead: AESGCM | None


_memory: dict[Place, tuple[int, Cipher]] = {}
_lock = threading.Lock()


def ciphers_for(places: Iterable[Place], chains: Mapping[int, Chain]) -> dict[Place, Cipher]:
    """The key of each place, in the transaction that holds the chains' locks; those that are missing are made."""
    found: dict[Place, Cipher] = {}
    missing = []
    for place in set(places):
        epoch, cipher = _memory.get(place, (-1, None))
        if cipher is not None and epoch == chains[place[0]].key_epoch:
            found[place] = cipher
        else:
            missing.append(place)
    if missing:
        fresh = _stored(missing)
        fresh |= _made([place for place in missing if place not in fresh], chains)
        epochs = {place: chains[place[0]].key_epoch for place in fresh}
        transaction.on_commit(lambda: _remember(fresh, epochs))  # never a key whose row was rolled back
        found |= fresh
    return found


def opened(key_ids: Iterable[str]) -> dict[str, Opened]:
    """The stored ones of these keys, always read anew: what was erased a moment ago isn't shown from memory."""
    rows = list(DataKey.objects.filter(key_id__in=set(key_ids)).select_related("chain"))
    master = derived_key(_PURPOSE) if rows else b""
    return {row.key_id: Opened(row.status == KeyStatus.ERASED, _unwrapped(master, row)) for row in rows}


def wrap(key: bytes, key_id: str, chain: str, subject: str) -> bytes:
    return seal_bytes(derived_key(_PURPOSE), key, _bound_to(key_id, chain, subject))


def clear_key(row: DataKey) -> bytes | None:
    """The key itself, to be handed over; None where the vault's key doesn't open it."""
    if row.wrapped is None:
        return None
    return open_sealed(derived_key(_PURPOSE), bytes(row.wrapped), _bound_to(row.key_id, row.chain.key, row.subject))


def _stored(places: list[Place]) -> dict[Place, Cipher]:
    wanted = set(places)
    rows = DataKey.objects.exclude(status=KeyStatus.ERASED).select_related("chain")
    rows = rows.filter(chain__in={chain for chain, _subject in wanted}, subject__in={subject for _c, subject in wanted})
    master, found = b"", {}
    for row in rows:
        place = (row.chain_id, row.subject)
        master = master or derived_key(_PURPOSE)
        aead = _unwrapped(master, row) if place in wanted else None
        if aead is not None:
            found[place] = Cipher(row.key_id, aead)
    return found


def _made(places: list[Place], chains: Mapping[int, Chain]) -> dict[Place, Cipher]:
    if not places:
        return {}
    rows, found = [], {}
    for chain_pk, subject in sorted(places):
        key, key_id = AESGCM.generate_key(256), secrets.token_hex(8)
        wrapped = wrap(key, key_id, chains[chain_pk].key, subject)
        rows.append(DataKey(chain_id=chain_pk, subject=subject, key_id=key_id, wrapped=wrapped))
        found[chain_pk, subject] = Cipher(key_id, AESGCM(key))
    DataKey.objects.bulk_create(rows)
    return found


def _unwrapped(master: bytes, row: DataKey) -> AESGCM | None:
    if row.wrapped is None:
        return None
    key = open_sealed(master, bytes(row.wrapped), _bound_to(row.key_id, row.chain.key, row.subject))
    return AESGCM(key) if key is not None else None


def _bound_to(key_id: str, chain: str, subject: str) -> bytes:
    return f"guardia data key\x00{key_id}\x00{chain}\x00{subject}".encode()


def _remember(fresh: Mapping[Place, Cipher], epochs: Mapping[Place, int]) -> None:
    with _lock:
        for place, cipher in fresh.items():
            _memory.pop(place, None)
            _memory[place] = (epochs[place], cipher)
        for place in list(_memory)[: max(0, len(_memory) - _MOST)]:
            del _memory[place]
