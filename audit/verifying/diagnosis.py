"""What is wrong with the first row that isn't what was recorded: pure (docs/audit-format.md, “What is wrong”)."""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain as joined

from audit.choices import FaultKind
from audit.seal import Fault
from audit.verifying.rows import Row
from audit.verifying.soundness import sound_body


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
