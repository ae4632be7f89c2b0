"""Recomputes chains from their rows, holds them against the signed checkpoints, and names what is wrong first."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.chain import genesis
from audit.checkpoint_keys import first_key
from audit.choices import FaultKind
from audit.models import Chain, Checkpoint, Entry, Witness
from audit.seal import CHECKPOINTS, Fault, Head, Sealed, Walk, read_line, walk_checkpoints
from audit.stores import directory
from audit.verifying.one_chain import ChainReport, Progress, Reached, StoredHead, verify_chain
from audit.verifying.parts import Part, ranges
from audit.verifying.processes import parts_beside, parts_here, processors
from audit.verifying.rows import Row, rows_between

#: So many entries pay for the start of processes.
_MANY = 100_000
_PART_SIZE = 16_384


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
    if connection.in_atomic_block:  # the caller's transaction decides what is seen, which other processes may not see
        return _verify(chains, since or {}, against, progress, 1)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return _verify(chains, since or {}, against, progress, processors())


def _verify(
    chains: QuerySet[Chain] | None,
    since: Mapping[str, Reached],
    against: Sequence[str] | None,
    progress: Progress | None,
    processes: int,
) -> Report:
    report = Report()
    walk, faults = _checkpoints(against)
    report.checkpoints = len(walk.good)
    anchors = anchors_of(walk.good)
    rows = list((Chain.objects.all() if chains is None else chains).order_by("key"))
    for chain in rows:
        stored = StoredHead(chain.key, chain.head_number, chain.head_hash)
        heads = anchors.get(chain.key, [])
        report.chains.append(verify_chain(stored, _Table(chain, processes), heads, since.get(chain.key), progress))
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


class _Table:
    """A chain's rows in the database; a long chain's are read by several processes."""

    def __init__(self, chain: Chain, processes: int) -> None:
        self._chain, self._processes = chain, processes

    def parts(self, after: int, upto: int) -> Generator[Part | None]:
        asked = ranges(self._chain.pk, self._chain.key, after, upto, _PART_SIZE)
        if self._processes > 1 and upto - after >= _MANY:
            return parts_beside(asked, self._processes)
        return parts_here(asked)

    def rows(self, after: int | None, upto: int | None = None) -> Iterator[Row]:
        return rows_between(self._chain.pk, after, upto)

    def hash_of(self, number: int) -> str | None:
        return Entry.objects.filter(chain=self._chain, number=number).values_list("hash", flat=True).first()


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
