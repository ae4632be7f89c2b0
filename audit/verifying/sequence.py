"""How far entries follow each other as they should: pure."""

from collections.abc import Iterable

from audit.verifying.rows import Row, row_of
from audit.verifying.soundness import Place, sound_place, usual_place


def sound_hashes(rows: Iterable[Row], key: str, number: int, prev_hash: str) -> list[bytes]:
    """The hashes of the rows from `number` on that stand where they belong; ends before the first that doesn't."""
    return _following(map(sound_place, rows), key, number, prev_hash)


def sound_lines(lines: Iterable[bytes], key: str, number: int, prev_hash: str) -> list[bytes]:
    """The same of lines as COPY writes them, faster."""
    return _following((usual_place(line) or sound_place(row_of(line)) for line in lines), key, number, prev_hash)


def _following(places: Iterable[Place | None], key: str, number: int, prev_hash: str) -> list[bytes]:
    hashes, chain, before = list[bytes](), key.encode(), prev_hash.encode()
    for place in places:
        if place is None or place[:3] != (b"%d" % number, chain, before):
            break
        number += 1
        before = place[3]
        hashes.append(place[4])
    return hashes
