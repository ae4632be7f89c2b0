"""One chain, walked from its first entry or from where it was found sound before, and held against the checkpoints."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from audit.chain import genesis
from audit.choices import FaultKind
from audit.merkle import Frontier
from audit.seal import Fault, Head
from audit.verifying.diagnosis import diagnose
from audit.verifying.parts import Part
from audit.verifying.rows import Row
from audit.verifying.sequence import sound_hashes

_CHUNK = 20_000


class Source(Protocol):
    """Where the rows come from."""

    def parts(self, after: int, upto: int) -> Generator[Part | None]:
        """The entries `after` + 1 to `upto` in parts; None for one that must be looked at closely, then no more."""

    def rows(self, after: int | None, upto: int | None = None) -> Iterator[Row]:
        """Those with `after` < number ≤ `upto`, by number; None: no bound."""

    def hash_of(self, number: int) -> str | None:
        """The stored hash of an entry that was found sound."""


@dataclass(frozen=True, slots=True)
class StoredHead:
    """What the chain's own row says."""

    key: str
    head_number: int
    head_hash: str


@dataclass(frozen=True, slots=True)
class ChainReport:
    """`entries` and `head_hash`: how far the chain is sound."""

    chain: str
    entries: int
    head_hash: str
    fault: Fault | None

    @property
    def is_intact(self) -> bool:
        return self.fault is None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "intact": self.is_intact}


@dataclass(frozen=True, slots=True)
class Reached:
    """From where a walk goes on: up to `number` all was found sound before. Subtree roots only for whole walks."""

    number: int
    hash: str
    frontier: str | None = None


#: Called after each part with the chain's key, how far it is, and its number of entries.
Progress = Callable[[str, Reached, int], None]


def verify_chain(
    chain: StoredHead,
    source: Source,
    anchors: Sequence[Head] = (),
    reached: Reached | None = None,
    progress: Progress | None = None,
) -> ChainReport:
    """Walk one chain in order; stops at the first fault. Memory stays flat however long the chain is."""
    reached = reached or Reached(0, genesis(chain.key), "")
    number, before, vouched = reached.number, reached.hash, 0
    frontier = None if reached.frontier is None else Frontier.from_text(number, reached.frontier)
    waiting = [head for head in anchors if head.length > number]
    with closing(source.parts(number, chain.head_number)) as parts:
        for hashes in _sound_hashes(chain.key, source, parts, number, before):
            at = 0
            while waiting and waiting[0].length <= number + len(hashes):
                head = waiting.pop(0)
                upto = head.length - number
                if frontier is not None:
                    frontier.extend(hashes[at:upto])
                at = upto
                if hashes[upto - 1].hex() != head.head_hash or (frontier and frontier.root().hex() != head.tree_root):
                    return _rewritten(chain, max(vouched, reached.number), head)
                vouched = head.length
            if frontier is not None:
                frontier.extend(hashes[at:])
            number, before = number + len(hashes), hashes[-1].hex() if hashes else before
            if progress is not None:
                text = None if frontier is None else frontier.to_text()
                progress(chain.key, Reached(number, before, text), chain.head_number)
    return ChainReport(chain.key, number, before, _end_fault(chain, source, number, before, waiting))


def _sound_hashes(
    key: str, source: Source, parts: Iterator[Part | None], number: int, before: str
) -> Iterator[list[bytes]]:
    """The hashes after entry `number` as far as all is sound: part by part, then closely to the first that isn't."""
    for part in parts:
        if part is None or part.prev_hash != before:
            break
        yield part.hashes
        number, before = number + len(part.hashes), part.hashes[-1].hex()
    while True:
        rows = list(source.rows(number or None, number + _CHUNK))
        hashes = sound_hashes(rows, key, number + 1, before)
        yield hashes
        if len(hashes) < _CHUNK or len(rows) > len(hashes):
            return
        number, before = number + len(hashes), hashes[-1].hex()


def _end_fault(chain: StoredHead, source: Source, number: int, before: str, waiting: Sequence[Head]) -> Fault | None:
    """After `number` sound entries comes another thing, or the end, which may be the wrong one."""

    def hash_of(place: int) -> str | None:
        return source.hash_of(place) if place else genesis(chain.key)

    rest = source.rows(number - 1 if number else None)
    if number:
        next(rest, None)  # the last sound one: another with its number may follow
    fault = diagnose(rest, chain.key, number + 1, before, hash_of, chain.head_hash)
    deque(rest, maxlen=0)  # a COPY that is left in the middle would end the transaction
    if fault is not None:
        return fault
    longest = max([chain.head_number, *(head.length for head in waiting)])
    if longest > number:
        text = f"there were {longest} entries, {number} are left"
        return Fault(chain.key, number + 1, FaultKind.CUT_TAIL.value, text, longest)
    if chain.head_number < number:
        text = "the chain's head knows nothing of it"
        return Fault(chain.key, chain.head_number + 1, FaultKind.INSERTED.value, text, number)
    if chain.head_hash != before:
        return Fault(chain.key, number, FaultKind.ALTERED.value, "the chain's head is not its last entry", number)
    return None


def _rewritten(chain: StoredHead, vouched: int, head: Head) -> ChainReport:
    text = f"a signed checkpoint seals other entries up to {head.length}"
    fault = Fault(chain.key, vouched + 1, FaultKind.REWRITTEN.value, text, head.length)
    return ChainReport(chain.key, vouched, "", fault)
