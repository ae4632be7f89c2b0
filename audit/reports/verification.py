"""The verification report: each chain and its state, then the table that GS certification asks for."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.choices import FaultKind, Mode
from audit.fault_words import fault_words
from audit.models import Chain, Entry, Report, SealedChain
from audit.reports.document import Column, Document, Progress, Row, Table, Value, local_moment
from audit.reports.entries import Reader, Told, chain_words, chains_of, period_of, person_words, result_words
from audit.reports.facts import facts_of
from audit.services.verify import verify
from audit.verifying.one_chain import ChainReport, Reached

_STATES: dict[str, str | Promise] = {
    "sealed": gettext_lazy("Intact, sealed by a signed checkpoint"),
    "intact": gettext_lazy("Intact, not sealed yet"),
    "doubt": gettext_lazy("In doubt: after the first bad entry"),
}


def verification(report: Report, progress: Progress) -> Document:
    """Verifies the report's chains anew, whole, and tells every entry of the period by what was found. What is wrong is
    told whatever day it says: a forger could choose it."""
    chains = chains_of(report)
    progress.expect(Entry.objects.filter(_in_period(report, chains)).count())
    found = _verified(report, chains, progress)
    sealed = dict(SealedChain.objects.filter(chain__in=chains).values_list("chain__key", "length"))
    entries = _entries(report, chains, found)
    rows = entries.count()
    return Document(
        report.kind,
        report.get_kind_display(),
        rows,
        [*facts_of(report, rows), ("verdict", _("Verdict"), _verdict(found))],
        [_chain_table(found, sealed), _entry_table(Reader(report.requested_by), entries, found, sealed, progress)],
    )


def _verified(report: Report, chains: list[Chain], progress: Progress) -> dict[str, ChainReport]:
    progress.expect(sum(chain.head_number for chain in chains))
    reached: dict[str, int] = {}

    def told(key: str, now_at: Reached, _length: int) -> None:
        progress.step(max(0, now_at.number - reached.get(key, 0)))
        reached[key] = now_at.number

    mine = Chain.objects.filter(pk__in=[chain.pk for chain in chains])
    outcome = verify(mode=Mode.FULL, actor=report.requested_by, chains=mine, progress=told)
    return {one.chain: one for one in outcome.report.chains}


def _entries(report: Report, chains: list[Chain], found: dict[str, ChainReport]) -> QuerySet[Entry]:
    """Those of the period that were verified, and each chain's first bad one."""
    wanted, later = _in_period(report, chains), Q(pk__in=[])
    for chain in Chain.objects.filter(pk__in=[chain.pk for chain in chains]):
        one = found[chain.key]
        if one.fault is not None:
            wanted |= Q(chain=chain, number=one.fault.number)
        elif chain.head_number > one.entries:
            later |= Q(chain=chain, number__gt=one.entries)
    return Entry.objects.filter(wanted).exclude(later).order_by("chain__key", "number", "pk")


def _in_period(report: Report, chains: list[Chain]) -> Q:
    begins, ends = period_of(report)
    return Q(chain__in=chains, recorded_at__gte=begins, recorded_at__lt=ends)


def _verdict(found: dict[str, ChainReport]) -> str:
    broken = [one for one in found.values() if one.fault is not None]
    if broken:
        return _("%(count)s of %(all)s chains are broken") % {"count": len(broken), "all": len(found)}
    return _("All chains are intact: %(entries)s entries recomputed") % {
        "entries": f"{sum(one.entries for one in found.values()):,}"
    }


def state_words(state: Value) -> str:
    """A row's state for people."""
    name = str(state)
    return str(FaultKind(name).label) if name in FaultKind else str(_STATES.get(name, name))


def detail_words(detail: Value) -> str:
    return fault_words(str(detail))


def _chain_table(found: dict[str, ChainReport], sealed: dict[str, int]) -> Table:
    columns = [
        Column("chain", _("Chain"), 2.4, chain_words),
        Column("entries", _("Entries verified"), 1.6, is_number=True),
        Column("sealed", _("Sealed up to"), 1.6, is_number=True),
        Column("head_hash", _("Last good hash"), 6),
        Column("first_bad", _("First bad entry"), 1.6, is_number=True),
        Column("state", _("State"), 3.4, state_words),
        Column("detail", _("Detail"), 0, detail_words),
    ]

    def row(one: ChainReport) -> Row:
        head = (one.chain, one.entries, sealed.get(one.chain, 0), one.head_hash)
        if one.fault is None:
            return *head, None, "sealed" if sealed.get(one.chain, 0) >= one.entries else "intact", ""
        return *head, one.fault.number, one.fault.kind, one.fault.detail

    rows = [row(found[key]) for key in sorted(found)]
    empty = _("There is no chain that you may see.")
    return Table("chain", _("Chains"), columns, rows, empty, lambda row: row[4] is not None)


def _entry_table(
    reader: Reader, entries: QuerySet[Entry], found: dict[str, ChainReport], sealed: dict[str, int], progress: Progress
) -> Table:
    columns = [
        Column("number", _("Number"), 1, is_number=True),
        Column("task_code", _("Task code"), 2.2),
        Column("group", _("Group"), 2.4),
        Column("result", _("Result"), 2.5, result_words),
        Column("hash", _("Hash"), 6),
        Column("state", _("State"), 3.2, state_words),
        Column("chain", _("Chain"), 0, chain_words),
        Column("recorded_at", _("Time"), 0, local_moment),
        Column("actor", _("Who"), 0, person_words),
    ]

    def rows() -> Iterator[Row]:
        missing = {key: one.fault for key, one in found.items() if one.fault is not None}
        for told in reader.stream(entries):
            progress.step()
            one, fault = found[told.chain], missing.get(told.chain)
            if one.fault is None and told.number > one.entries:
                continue  # written a moment ago
            if fault is not None and told.number >= fault.number:
                del missing[told.chain]
                if told.number > fault.number:
                    yield _gone(told.chain, fault.number, fault.kind)
            yield _row(told, one, sealed.get(told.chain, 0))
        for key, fault in missing.items():
            yield _gone(key, fault.number, fault.kind)

    empty = _("There is no entry in this period.")
    return Table("entry", _("Entries"), columns, rows(), empty, lambda row: row[5] not in ("sealed", "intact"))


def _row(told: Told, chain: ChainReport, sealed: int) -> Row:
    state = "sealed" if told.number <= sealed else "intact"
    if chain.fault is not None and told.number >= chain.fault.number:
        state = chain.fault.kind if told.number == chain.fault.number else "doubt"
    group = " / ".join(part for part in (chain_words(told.chain), told.system) if part)
    who = (told.chain, told.at, told.actor)
    return told.number, told.task_id, group, told.result, told.hash, state, *who


def _gone(chain: str, number: int, kind: str) -> Row:
    """The first bad entry has no row of its own any more."""
    return number, "", chain_words(chain), "", "", kind, chain, "", ""
