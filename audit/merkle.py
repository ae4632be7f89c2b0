"""Merkle trees as in RFC 6962: pure. Leaves are hashed elsewhere (0x00), nodes here (0x01).

A tree over n leaves splits at the largest power of two below n, so it is the fold of perfect subtrees whose sizes are
the ones in n's binary form. `Frontier` keeps those subtrees' roots and grows without the leaves.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

EMPTY = hashlib.sha256(b"").digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The roots of the perfect subtrees, the largest first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        self._add_subtree(leaf, 1)

    def extend(self, leaves: Sequence[bytes]) -> None:
        """The same as adding one by one, in whole subtrees: three times as fast."""
        at, total = 0, len(leaves)
        while at < total:
            room = 1 << (total - at).bit_length() - 1
            if self.size:
                room = min(room, self.size & -self.size)
            if room == 1:
                self.add(leaves[at])
            else:
                self._add_subtree(_perfect(leaves[at : at + room]), room)
            at += room

    def _add_subtree(self, root: bytes, leaves: int) -> None:
        self.size += leaves
        self.peaks.append(root)
        filled = self.size // leaves
        while not filled & 1:
            right = self.peaks.pop()
            self.peaks[-1] = node(self.peaks[-1], right)
            filled >>= 1

    def root(self) -> bytes:
        if not self.peaks:
            return EMPTY
        value = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            value = node(peak, value)
        return value

    def to_text(self) -> str:
        return b"".join(self.peaks).hex()

    @classmethod
    def from_text(cls, size: int, text: str) -> "Frontier":
        raw = bytes.fromhex(text)
        if size < 0 or len(raw) != 32 * size.bit_count():
            raise ValueError("the frontier does not fit the size")
        return cls(size, [raw[at : at + 32] for at in range(0, len(raw), 32)])


def _perfect(leaves: Sequence[bytes]) -> bytes:
    level, sha = leaves, hashlib.sha256
    while len(level) > 1:
        level = [sha(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root_of(leaves: Sequence[bytes]) -> bytes:
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """RFC 6962 2.1.1: what must be hashed to leaf `index` (from 0), lowest first, to give the root over `leaves`."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_path(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_path(leaves[split:], index - split), root_of(leaves[:split])]


def consistency_path(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """RFC 6962 2.1.2: proves that the tree over the first `old_size` leaves is the beginning of the one over all."""
    if not 0 < old_size <= len(leaves):
        raise IndexError(old_size)
    return _consistency(leaves, old_size, is_whole=True)


def _consistency(leaves: Sequence[bytes], old_size: int, is_whole: bool) -> list[bytes]:
    if old_size == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = _split(len(leaves))
    if old_size <= split:
        return [*_consistency(leaves[:split], old_size, is_whole), root_of(leaves[split:])]
    return [*_consistency(leaves[split:], old_size - split, False), root_of(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
