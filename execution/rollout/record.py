"""What is told of a held host: rows, events and chain entries, for any number of hosts in one transaction.

A step is told twice: committed before its first command, and after its last.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from django.db import models, transaction
from django.db.models import Exists
from django.db.models.expressions import RawSQL

from audit.services.record import Draft, record_many
from cmdb.models import Server
from execution.choices import Phase, StepStatus
from execution.exceptions import ClaimLost, Halted
from execution.facts.compare import told as told_in_words
from execution.gate.halts import halts_on
from execution.gate.session import Outcome
from execution.live.events import Happening, append_events
from execution.models import HostRun, ResultTable, Run, StepResult
from execution.plan.render import commands_of
from execution.rollout.facts import keep_facts
from execution.steps.sql.results import Found
from guardia.common.bulk import update_rows
from guardia.common.canonical import digest
from guardia.common.clock import now
from guardia.common.masking import mask
from guardia.common.text import printable

ACTOR = "guardia-worker"
_EVENT_OUTPUT = 2000
_UNARGUED = ("finish", "finish_undo", "spare", "end_check")
_SETTLED = ("status", "claim", "lease_until", "finished_at", "error_code", "error")
_ENDED = ("status", "exit_status", "output", "output_sha256", "error_code", "drift", "finished_at")


@dataclass(frozen=True, slots=True)
class Begin:
    """A step is about to be tried: from here on its outcome counts as unknown until it is told. Halted refuses it.

    `saved` are the values that still hold; those that the step will save anew aren't among them.
    """

    phase: Phase
    order: int
    attempt: int
    name: str
    saved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Keep:
    """Values saved before the next command: the next worker compares with them."""

    saved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class End:
    """How a step ended; saved values go to the host run, the chain gets commands, exit status and digest."""

    result: StepResult
    status: StepStatus
    ops: Any
    outcome: Outcome | None = None
    error_code: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """The host goes over one transition (`by`: its name)."""

    by: str
    code: str = ""
    message: str = ""


Note = Begin | Keep | End | Settle
Answer = StepResult | ClaimLost | Halted | None


@dataclass(frozen=True, slots=True)
class Report:
    """What one host's thread has to tell, in this order."""

    host_run: HostRun
    notes: Sequence[Note]


@transaction.atomic
def write_down(run: Run, claim: str, reports: Sequence[Report]) -> list[Answer]:
    """Commit the reports together. The answer to each: the result row of its last Begin, ClaimLost where another worker
    holds the host now (nothing of it is written then), Halted where the Begin was refused (what stands before it is).
    """
    rows = _held(run, sorted(report.host_run.pk for report in reports))
    page = _Page(run)
    answers = [_answer(page, rows.get(report.host_run.pk), claim, report) for report in reports]
    page.save()
    return answers


def steps_done(host_run: HostRun, phase: Phase) -> Mapping[int, StepResult]:
    """The latest attempt of each step so far, by order."""
    results = StepResult.objects.filter(host_run=host_run, phase=phase).order_by("order", "attempt")
    return {result.order: result for result in results}


def _held(run: Run, pks: Sequence[int]) -> Mapping[int, HostRun]:
    """The host runs' rows, locked; whether the kill switch covers them is asked in the same round trip."""
    text, params = _questions.get(run) or _questions.setdefault(run, _question(run))
    return {row.pk: row for row in HostRun.objects.raw(text, [pks if it is _PKS else it for it in params])}


def _question(run: Run) -> tuple[str, Sequence[Any]]:
    """`_held`'s statement with its parameters, `_PKS` among them: asked for every step, and built anew each time it
    cost more than the answer."""
    halted = {f"halted_{phase}": Exists(halts_on(run, phase)) for phase in Phase}
    rows = HostRun.objects.select_for_update(of=("self",), no_key=True).annotate(**halted)
    is_asked = RawSQL("execution_hostrun.id = ANY(%s)", [_PKS], output_field=models.BooleanField())
    text, params = rows.filter(is_asked).order_by("pk").query.sql_with_params()
    return text, params


class _Pks(list[int]):
    """Stands in a statement for the keys that it is asked for."""


_PKS = _Pks()
_questions: MutableMapping[Run, tuple[str, Sequence[Any]]] = WeakKeyDictionary()


def _answer(page: "_Page", row: HostRun | None, claim: str, report: Report) -> Answer:
    if row is None or row.claim != claim:
        return ClaimLost()
    answer: Answer = None
    for note in report.notes:
        if isinstance(note, Begin):
            if getattr(row, f"halted_{note.phase}"):
                return Halted()
            answer = page.begin(report.host_run, row, note)
        elif isinstance(note, Keep):
            page.keep(row, note.saved)
        elif isinstance(note, End):
            page.end(report.host_run, row, note)
        else:
            page.settle(report.host_run, row, note)
    return answer


@dataclass(slots=True)
class _Page:
    """What one transaction writes, gathered first: each table is written once."""

    run: Run
    begun: list[StepResult] = field(default_factory=list)
    ended: list[StepResult] = field(default_factory=list)
    found: list[ResultTable] = field(default_factory=list)
    seen: list[tuple[Server, Outcome]] = field(default_factory=list)
    kept: dict[int, HostRun] = field(default_factory=dict)
    settled: list[HostRun] = field(default_factory=list)
    events: list[Happening] = field(default_factory=list)
    entries: list[Draft] = field(default_factory=list)

    def begin(self, host_run: HostRun, row: HostRun, note: Begin) -> StepResult:
        self.keep(row, note.saved)
        result = StepResult(host_run=host_run, phase=note.phase, order=note.order, name=note.name, attempt=note.attempt)
        self.begun.append(result)
        self._happened("step_started", host_run, step=note.name, phase=note.phase)
        return result

    def keep(self, row: HostRun, saved: Mapping[str, str]) -> None:
        if row.saved != saved:
            row.saved = dict(saved)
            self.kept[row.pk] = row

    def end(self, host_run: HostRun, row: HostRun, note: End) -> None:
        result, outcome = note.result, note.outcome
        result.status, result.finished_at, result.error_code = note.status, now(), note.error_code
        if outcome is not None:
            result.exit_status, result.output_sha256 = outcome.exit_status, outcome.sha256
            result.output = mask(printable(outcome.output))
            result.drift = outcome.drift
            self.keep(row, outcome.saved)
            if outcome.found is not None:
                self.found.append(_table(result, outcome.found))
        self.ended.append(result)
        told = {"step": result.name, "phase": result.phase, "error": note.error}
        self._happened(f"step_{note.status.lower()}", host_run, **told, output=result.output[-_EVENT_OUTPUT:])
        self._recorded(
            f"step.{note.status.lower()}",
            host_run,
            result,
            note.error,
            step=result.name,
            phase=result.phase,
            attempt=result.attempt,
            commands=[mask(command) for command in commands_of(note.ops)],
            result_code=result.exit_status,
            output_sha256=result.output_sha256,
            error_code=note.error_code,
            **({"drift": result.drift} if result.drift else {}),
        )
        if outcome is not None and outcome.facts is not None:
            self.seen.append((host_run.server, outcome))
            if outcome.drift:
                self._happened("drift", host_run, text=told_in_words(outcome.drift))

    def settle(self, host_run: HostRun, row: HostRun, note: Settle) -> None:
        transition, message = getattr(row, note.by), mask(note.message)
        transition() if note.by in _UNARGUED else transition(note.code, message)
        self.settled.append(row)
        self._happened("host_settled", host_run, status=row.status, code=note.code, error=message)
        self._recorded(f"host.{row.status.lower()}", host_run, host_run, note.message, error_code=note.code)

    def save(self) -> None:
        """Host runs, steps, event head, chain: the order in which everybody locks."""
        update_rows(list(self.kept.values()), ["saved"])
        update_rows(self.settled, _SETTLED)
        StepResult.objects.bulk_create(self.begun)
        update_rows(self.ended, _ENDED)
        ResultTable.objects.bulk_create(self.found)
        keep_facts(self.seen)
        append_events(self.run, self.events)
        if self.entries:
            record_many(self.entries, institution=self.run.task.institution)

    def _happened(self, kind: str, host_run: HostRun, **data: Any) -> None:
        self.events.append(Happening(kind, host_run, {"host": host_run.server.hostname, **data}))

    def _recorded(self, action: str, host_run: HostRun, subject: models.Model, summary: str, **facts: Any) -> None:
        server = host_run.server
        facts = {"system": server.system.code, "server": server.hostname, **facts}
        self.entries.append(Draft(action, ACTOR, subject, self.run.task.task_id, summary, facts))


def _table(result: StepResult, found: Found) -> ResultTable:
    table = {"columns": found.columns, "rows": found.rows}
    return ResultTable(
        step=result, is_complete=found.is_complete, is_masked=found.is_masked, digest=digest(table), **table
    )
