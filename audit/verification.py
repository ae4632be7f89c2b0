"""Recomputes chains from their rows, holds them against the signed checkpoints, and names what is wrong first."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.chain import genesis
from audit.checkpoint_keys import first_key
from audit.choices import FaultKind
from audit.merkle import Frontier
from audit.models import Chain, Checkpoint, Entry, Witness
from audit.rows import rows_between
from audit.seal import CHECKPOINTS, Fault, Head, Sealed, Walk, read_line, walk_checkpoints
from audit.stores import directory
from audit.walk import diagnose, sound_hashes

_CHUNK = 20_000


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


@dataclass(slots=True)
class Report:
    """All chains, and the checkpoints: `checkpoints` is how many hold."""

    chains: list[ChainReport] = field(default_factory=list)
    checkpoints: int = 0
    faults: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[ChainReport]:
        return iter(self.chains)

    @property
    def is_intact(self) -> bool:
        return not self.faults


def verify_all(
    chains: QuerySet[Chain] | None = None,
    *,
    since: Mapping[str, Reached] | None = None,
    against: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Verify in one snapshot, so that writers don't look like forgers.

    `since`: chain key → where to go on. `against`: the lines of checkpoints kept elsewhere, which count besides ours.
    """
    if connection.in_atomic_block:  # the caller's transaction decides what is seen
        return _verify(chains, since or {}, against, progress)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _verify(chains, since or {}, against, progress)


def _verify(
    chains: QuerySet[Chain] | None,
    since: Mapping[str, Reached],
    against: Sequence[str] | None,
    progress: Progress | None,
) -> Report:
    report = Report()
    walk, faults = _checkpoints(against)
    report.checkpoints = len(walk.good)
    anchors = anchors_of(walk.good)
    rows = list((Chain.objects.all() if chains is None else chains).order_by("key"))
    for chain in rows:
        reached = since.get(chain.key) or Reached(0, genesis(chain.key), "")
        report.chains.append(verify_chain(chain, anchors.get(chain.key, []), reached, progress))
    if chains is None:
        report.chains += [_gone(key) for key in sorted(set(anchors) - {chain.key for chain in rows})]
        report.faults += faults
    report.faults += [chain.fault for chain in report.chains if chain.fault is not None]
    return report


def anchors_of(checkpoints: Iterable[Sealed]) -> dict[str, list[Head]]:
    """Chain key → what signed checkpoints say of it, by length, each length once."""
    found: dict[str, dict[int, Head]] = {}
    for sealed in checkpoints:
        for key, head in sealed.heads.items():
            found.setdefault(key, {}).setdefault(head.length, head)
    return {key: [heads[length] for length in sorted(heads)] for key, heads in found.items()}


def verify_chain(
    chain: Chain, anchors: Sequence[Head] = (), reached: Reached | None = None, progress: Progress | None = None
) -> ChainReport:
    """Walk one chain in order; stops at the first fault. Memory stays flat however long the chain is."""
    reached = reached or Reached(0, genesis(chain.key), "")
    number, before, vouched = reached.number, reached.hash, 0
    frontier = None if reached.frontier is None else Frontier.from_text(number, reached.frontier)
    waiting = [head for head in anchors if head.length > number]
    while True:
        rows = list(rows_between(chain.pk, number or None, number + _CHUNK))
        hashes = sound_hashes(rows, chain.key, number + 1, before)
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
        if len(hashes) < _CHUNK or len(rows) > len(hashes):
            return ChainReport(chain.key, number, before, _end_fault(chain, number, before, waiting))


def _end_fault(chain: Chain, number: int, before: str, waiting: Sequence[Head]) -> Fault | None:
    """After `number` sound entries comes another thing, or the end, which may be the wrong one."""

    def hash_of(place: int) -> str | None:
        found = Entry.objects.filter(chain=chain, number=place).values_list("hash", flat=True).first()
        return found if place else genesis(chain.key)

    rest = rows_between(chain.pk, number - 1 if number else None)
    if number:
        next(rest, None)  # the last sound one: another with its number may follow
    fault = diagnose(rest, chain.key, number + 1, before, hash_of, chain.head_hash)
    for _row in rest:  # a COPY that is left in the middle ends the transaction
        pass
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


def _rewritten(chain: Chain, vouched: int, head: Head) -> ChainReport:
    text = f"a signed checkpoint seals other entries up to {head.length}"
    fault = Fault(chain.key, vouched + 1, FaultKind.REWRITTEN.value, text, head.length)
    return ChainReport(chain.key, vouched, "", fault)


def _gone(key: str) -> ChainReport:
    fault = Fault(key, 1, FaultKind.CUT_TAIL.value, "a signed checkpoint knows this chain, it is gone", 1)
    return ChainReport(key, 0, genesis(key), fault)


def _checkpoints(against: Sequence[str] | None) -> tuple[Walk, list[Fault]]:
    """The longest walk of the table, the directory and the copy from elsewhere; and what is wrong with any of them."""
    table = list(Checkpoint.objects.order_by("number").values_list("line", flat=True))
    kept, key = directory().lines(), first_key()
    delivered = Witness.objects.filter(name="directory").values_list("delivered", flat=True).first() or 0
    walks = [walk_checkpoints(lines, key) for lines in (table, kept, list(against or ()))]
    faults = [walk.fault for walk in walks if walk.fault is not None]
    longest = max(walks, key=lambda walk: len(walk.good))
    for walk in walks:
        for one, other in zip(walk.good, longest.good, strict=False):
            if one.digest() != other.digest():
                text = "two checkpoints with this number were signed"
                faults.append(Fault(CHECKPOINTS, one.number, FaultKind.REWRITTEN.value, text, one.number))
                break
    for walk, lack in ((walks[0], len(longest.good)), (walks[1], delivered)):
        if walk.fault is None and len(walk.good) < lack:
            text = f"{lack} were made"
            faults.append(Fault(CHECKPOINTS, len(walk.good) + 1, FaultKind.MISSING_CHECKPOINT.value, text, lack))
    return longest, sorted(set(faults), key=lambda fault: fault.number)[:1]


def checkpoint_lines() -> list[Sealed]:
    """The table's checkpoints as documents, unchecked."""
    lines = Checkpoint.objects.order_by("number").values_list("line", flat=True)
    return [sealed for sealed in map(read_line, lines) if sealed is not None]
