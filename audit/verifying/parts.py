"""A chain in parts: entries that are sound in themselves, found by as many processes as there are processors.

Python keeps one processor busy, and what a million entries need is mostly hashing and comparing. A part only says that
its entries belong together: that they follow the part before, and the checkpoints, is judged where parts meet.
"""

from collections import deque
from collections.abc import Iterator
from itertools import chain as joined
from typing import NamedTuple

from audit.verifying.rows import row_of
from audit.verifying.sequence import sound_lines

HASH_BYTES = 32


class Part(NamedTuple):
    """The hash that the first entry says stands before it, and the entries' own, 32 bytes each."""

    prev_hash: str
    hashes: list[bytes]


class Range(NamedTuple):
    """The entries with `after` < number ≤ `upto` of a chain."""

    chain_pk: int
    key: str
    after: int
    upto: int


def ranges(chain_pk: int, key: str, after: int, upto: int, size: int) -> Iterator[Range]:
    """The parts of a chain of `size` entries each, in order; it may be asked for more entries than there are."""
    return (Range(chain_pk, key, at, min(at + size, upto)) for at in range(after, upto, size))


def part_of(asked: Range, lines: Iterator[bytes]) -> Part | None:
    """The entries of this range, whose lines these are, where all are there and sound in themselves; else None."""
    first = next(lines, None)
    if first is None:
        return None
    prev_hash = row_of(first).prev_hash.decode()
    hashes = sound_lines(joined([first], lines), asked.key, asked.after + 1, prev_hash)
    deque(lines, maxlen=0)  # a COPY that is left in the middle would end the transaction
    return Part(prev_hash, hashes) if len(hashes) == asked.upto - asked.after else None
