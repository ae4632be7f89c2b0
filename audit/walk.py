"""Whether stored rows are what was recorded: pure. `sound_hashes` says how far all is well, as fast as Python can;
`diagnose` looks at the first row that isn't, and says what happened (docs/audit-format.md, “What is wrong”)."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain as joined
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]  # as the json module uses it
from typing import Any, NoReturn

import orjson

from audit.chain import FIELDS
from audit.choices import FaultKind
from audit.rows import Row
from audit.seal import Fault

_sha256 = hashlib.sha256
_TABS = 6


def _refuse(value: Any) -> NoReturn:
    raise ValueError(value)


_decoder: Any = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
_scan = _decoder.scan_once
_encode = c_make_encoder(None, _refuse, encode_basestring, None, ":", ",", True, False, False)
_HOLDERS = 100


def sound_body(row: Row) -> dict[str, Any] | None:
    """The row's body, where hash, canonical form, fields and columns agree; None otherwise.

    Says nothing of the place: number, chain and the hash before are the caller's.
    """
    raw = row.body
    if _sha256(b"\x00" + raw).hexdigest().encode() != row.hash:
        return None
    try:
        body = _read(raw)
        columns = "\t".join(
            (
                body["prev_hash"],
                body["recorded_at"],
                body["action"],
                body["actor"],
                body["task_id"],
                body["object_type"],
                body["object_id"],
            )
        )
        if type(body["format"]) is not int or body.keys() != FIELDS.get(body["format"]):
            return None
        if type(body["number"]) is not int or type(body["chain"]) is not str:
            return None
        is_same = columns.encode() == b"\t".join(row[2:9]) and columns.count("\t") == _TABS
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
        return None
    return body if is_same else None


def _read(raw: bytes) -> Any:
    """The value of canonical JSON. Raises ValueError, StopIteration or RecursionError for any other.

    orjson reads and writes it six times as fast as the standard library. Where the two might differ (numbers that
    aren't integers, deep nesting, anything that isn't written again as it was) the standard library decides.
    """
    try:
        value = orjson.loads(raw)
        is_same = orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == raw
        if is_same and b"\\u0000" not in raw and _is_plain(value):
            return value
    except orjson.JSONDecodeError:  # the standard library says why
        pass
    text = raw.decode()
    value, end = _scan(text, 0)
    if end != len(text) or "".join(_encode(value, 0)) != text or _has_nul(value):
        raise ValueError("not canonical")
    return value


def _is_plain(value: Any) -> bool:
    """Nothing in it but text, integers, truth values, null and what holds them, of which there are few."""
    holders = [value]
    for holder in holders:  # it grows
        for item in holder.values() if type(holder) is dict else holder:
            kind = type(item)
            if kind is str or kind is int:
                continue
            if kind is dict or kind is list:
                holders.append(item)
            elif kind is float:
                return False
    return len(holders) < _HOLDERS


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_has_nul(item) for item in joined(value, value.values()))
    return isinstance(value, list) and any(map(_has_nul, value))


def sound_hashes(rows: Iterable[Row], key: str, number: int, prev_hash: str) -> list[bytes]:
    """The hashes of the rows from `number` on that stand where they belong; ends before the first that doesn't."""
    hashes = []
    for row in rows:
        body = sound_body(row)
        if (
            body is None
            or body["number"] != number
            or body["prev_hash"] != prev_hash
            or body["chain"] != key
            or row.number != str(number).encode()
        ):
            break
        prev_hash, number = row.hash.decode(), number + 1
        hashes.append(bytes.fromhex(prev_hash))
    return hashes


def diagnose(
    rows: Iterator[Row], key: str, number: int, prev_hash: str, hash_of: Callable[[int], str | None], head_hash: str
) -> Fault | None:
    """What is wrong with the first of `rows`, which should be entry `number`; the rows go on to the chain's end.

    `hash_of` gives the stored hash of an entry that was found sound before; `head_hash` is the chain's.
    """

    def fault(kind: FaultKind, detail: str, at: int = number) -> Fault:
        return Fault(key, at, kind.value, detail, max(at, number))

    row = next(rows, None)
    if row is None:
        return None
    stored, body = int(row.number), sound_body(row)
    if stored < number:
        return fault(FaultKind.INSERTED, f"number {stored} is there twice", stored)
    if stored == number:
        if body is None:
            return fault(FaultKind.ALTERED, "the entry is not what its hash was made from")
        if body["chain"] != key:
            return fault(FaultKind.REORDERED, "the entry belongs to another chain")
        if body["number"] == number:
            is_trusted = _is_followed(next(rows, None), row, number, head_hash)
            at = number - 1 if is_trusted and number > 1 else number
            return fault(FaultKind.ALTERED, "two entries that should follow each other don't", at)
        if body["number"] < number:
            place = body["number"]
            deque(rows, maxlen=0)  # to the end: a connection does nothing else while it copies
            if place >= 1 and hash_of(place - 1) == body["prev_hash"]:
                return fault(FaultKind.INSERTED, f"the entry after it was sealed as number {place}", place)
            return fault(FaultKind.REORDERED, f"the entry was sealed as number {place}")
    if any(_is_entry(other, key, number, prev_hash) for other in joined([row], rows)):
        return fault(FaultKind.REORDERED, f"entry {number} stands in another place")
    return fault(FaultKind.DELETED, f"entry {number} is missing")


def _is_entry(row: Row, key: str, number: int, prev_hash: str) -> bool:
    body = sound_body(row)
    return body is not None and (body["chain"], body["number"], body["prev_hash"]) == (key, number, prev_hash)


def _is_followed(after: Row | None, row: Row, number: int, head_hash: str) -> bool:
    """Whether what comes next vouches for `row`: then it is the entry before that was rewritten."""
    if after is None:
        return head_hash == row.hash.decode()
    body = sound_body(after)
    return body is not None and body["number"] == number + 1 and body["prev_hash"].encode() == row.hash
