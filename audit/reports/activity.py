"""Who did what: entries by user, task, system or approver, each with its sums, then one after the other."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.act_words import act_words
from audit.choices import ReportKind
from audit.models import Entry, Report
from audit.reports.document import Column, Document, Progress, Row, Table, Value, local_moment
from audit.reports.entries import (
    BY_PEOPLE,
    Reader,
    Told,
    chain_words,
    entries_of,
    person_words,
    result_words,
)
from audit.reports.facts import facts_of
from guardia.common.errors import InvalidInput

#: Outcomes that count as failed in the sums.
_FAILED = ("failed", "refused", "rejected", "undo_failed", "uncertain", "login_failed", "aborted", "locked_out")
#: What people decide, besides everything about approvals.
_DECISIONS = {
    *("change.reviewed", "task.completed", "task.closed_by_hand", "task.closed_not_done", "policy_change.applied"),
    *("policy_change.refused", "freeze_exception.granted", "freeze_exception.refused", "standing_approval.given"),
    *("standing_approval.revoked", "integrity.accepted", "integrity.acceptance_refused", "review.signed_off"),
}


def _approver(told: Told) -> str:
    is_decision = told.action.startswith("approval.") or told.action in _DECISIONS
    return told.actor if is_decision else ""


@dataclass(slots=True)
class _Sum:
    """What one subject did, and which entries tell it."""

    keys: "array[int]" = field(default_factory=lambda: array("q"))
    failed: int = 0
    first: str = ""
    last: str = ""

    def add(self, told: Told) -> None:
        self.keys.append(told.pk)
        self.failed += told.action.rpartition(".")[2] in _FAILED or bool(told.result_code)
        self.first, self.last = self.first or told.at, told.at


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the entries are put together by: told → its subject, empty for none."""

    title: Callable[[], str]
    subject: Callable[[Told, dict[str, str]], str]
    show: Callable[[Value], str] = str


#: Of a task whose steps name a system, all entries belong to that system.
_KINDS: dict[str, _Kind] = {
    ReportKind.BY_USER: _Kind(lambda: _("User"), lambda told, systems: told.actor, person_words),
    ReportKind.BY_TASK: _Kind(lambda: _("Task"), lambda told, systems: told.task_id),
    ReportKind.BY_SYSTEM: _Kind(
        lambda: _("System"), lambda told, systems: told.system or systems.get(told.task_id, "")
    ),
    ReportKind.BY_APPROVER: _Kind(lambda: _("Approver"), lambda told, systems: _approver(told), person_words),
}


def activity(report: Report, progress: Progress) -> Document:
    """The report of one of the four kinds. Raises InvalidInput where `subject` names what isn't there."""
    kind = _KINDS[report.kind]
    sums = _gather(report, kind, progress)
    if report.subject and not sums:
        text = _("There is no entry of “%(subject)s” in this period. Check how it is written, or leave it out.")
        raise InvalidInput(text % {"subject": report.subject})
    rows = sum(len(found.keys) for found in sums.values())
    ordered = dict(sorted(sums.items(), key=lambda item: kind.show(item[0])))
    return Document(
        report.kind,
        report.get_kind_display(),
        rows,
        facts_of(report, rows),
        [_sums_table(kind, ordered), _entries_table(report, kind, ordered, progress)],
    )


def _gather(report: Report, kind: _Kind, progress: Progress) -> dict[str, _Sum]:
    """One pass over the entries: which belong to whom. Only their keys are kept, eight bytes each."""
    entries = entries_of(report).order_by("recorded_at", "pk")
    if report.kind in (ReportKind.BY_USER, ReportKind.BY_APPROVER):
        entries = entries.filter(BY_PEOPLE)
    progress.expect(2 * entries.count())  # looked at here, written later: those that aren't are done with here
    systems = _systems(report, entries, progress) if report.kind == ReportKind.BY_SYSTEM else {}
    sums: dict[str, _Sum] = {}
    for told in Reader(report.requested_by).stream(entries):
        subject = kind.subject(told, systems)
        is_wanted = bool(subject) and (not report.subject or report.subject in (subject, kind.show(subject)))
        progress.step(1 if is_wanted else 2)
        if is_wanted:
            sums.setdefault(subject, _Sum()).add(told)
    return sums


def _systems(report: Report, entries: QuerySet[Entry], progress: Progress) -> dict[str, str]:
    """Task → the first system that its entries name."""
    named = (
        entries.exclude(task_id="").filter(body__contains='"system":"').exclude(body__contains='"system":"","task_id"')
    )
    progress.expect(named.count())
    found: dict[str, str] = {}
    for told in Reader(report.requested_by).stream(named):
        progress.step()
        if told.system:
            found.setdefault(told.task_id, told.system)
    return found


def _sums_table(kind: _Kind, sums: dict[str, _Sum]) -> Table:
    columns = [
        Column("subject", kind.title(), 5, kind.show),
        Column("entries", _("Acts"), 1.5, is_number=True),
        Column("failed", _("Failed or refused"), 2, is_number=True),
        Column("first", _("First"), 3, local_moment),
        Column("last", _("Last"), 3, local_moment),
    ]
    rows = [(name, len(one.keys), one.failed, one.first, one.last) for name, one in sums.items()]
    return Table("sum", _("Sums"), columns, rows, _("There is no entry in this period."))


def _entries_table(report: Report, kind: _Kind, sums: dict[str, _Sum], progress: Progress) -> Table:
    columns, cells = _COLUMNS[report.kind]()
    reader = Reader(report.requested_by)

    def rows() -> Iterator[Row]:
        for subject, one in sums.items():
            for told in reader.stream_keys(one.keys):
                progress.step()
                yield (subject, *cells(told))

    return Table(
        "entry",
        _("Entries"),
        [Column("subject", kind.title(), 2.6, kind.show), *columns],
        rows(),
        _("There is no entry in this period."),
    )


Cells = tuple[Sequence[Column], Callable[[Told], Row]]


def _time() -> Column:
    return Column("recorded_at", _("Time"), 2.6, local_moment)


def _place() -> list[Column]:
    """Where to find it in the chain: for programs and spreadsheets."""
    return [
        Column("chain", _("Chain"), 0, chain_words),
        Column("number", _("Number"), 0, is_number=True),
        Column("hash", _("Hash"), 0),
    ]


def _by_user() -> Cells:
    columns = [
        _time(),
        Column("result", _("Act"), 3.4, result_words),
        Column("object", _("On what"), 3.4),
        Column("task_id", _("Task"), 2.6),
        Column("source_ip", _("From where"), 2.2),
        Column("summary", _("Reason"), 4),
        *_place(),
    ]
    return columns, lambda t: (
        *(t.at, t.result, t.object, t.task_id, _origin(t), t.summary),
        *(t.chain, t.number, t.hash),
    )


def _by_task() -> Cells:
    columns = [
        _time(),
        Column("result", _("Act"), 3.4, result_words),
        Column("actor", _("Who"), 2.4, person_words),
        Column("server", _("Server"), 2.6),
        Column("step", _("Step"), 2.2),
        Column("summary", _("Reason"), 4),
        *_place(),
    ]
    return columns, lambda t: (t.at, t.result, t.actor, t.server, t.step, t.summary, t.chain, t.number, t.hash)


def _by_system() -> Cells:
    columns = [
        _time(),
        Column("task_id", _("Task"), 2.6),
        Column("result", _("Act"), 3.2, result_words),
        Column("actor", _("Who"), 2.2, person_words),
        Column("server", _("Server"), 2.6),
        Column("step", _("Step"), 2.2),
        Column("output_sha256", _("SHA-256 of the output"), 3.6),
        *_place(),
    ]
    return columns, lambda t: (
        *(t.at, t.task_id, t.result, t.actor, t.server, t.step, t.output_sha256),
        *(t.chain, t.number, t.hash),
    )


def _by_approver() -> Cells:
    columns = [
        _time(),
        Column("task_id", _("Task"), 2.6),
        Column("action", _("Decision"), 3, lambda value: act_words(str(value))),
        Column("summary", _("Comment"), 4),
        Column("digest", _("What was decided on (SHA-256)"), 3.6),
        Column("source_ip", _("From where"), 2.2),
        *_place(),
    ]
    return columns, lambda t: (t.at, t.task_id, t.action, t.summary, _digest(t), _origin(t), t.chain, t.number, t.hash)


def _origin(told: Told) -> str:
    return " ".join(part for part in (told.source_ip, told.channel) if part)


def _digest(told: Told) -> str:
    value = told.facts.get("plan_digest") or told.facts.get("diff_digest") or ""
    return value if isinstance(value, str) else ""


_COLUMNS: dict[str, Callable[[], Cells]] = {
    ReportKind.BY_USER: _by_user,
    ReportKind.BY_TASK: _by_task,
    ReportKind.BY_SYSTEM: _by_system,
    ReportKind.BY_APPROVER: _by_approver,
}
