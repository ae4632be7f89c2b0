"""The rows, events and chain entries of one step: committed before its first command and after its last."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, QuerySet, Value

from audit.services import record
from execution.choices import Phase, StepStatus
from execution.exceptions import ClaimLost, Halted
from execution.gate.halts import halts_on
from execution.gate.session import Outcome
from execution.live.events import append_event
from execution.models import Halt, HostRun, ResultTable, Run, StepResult
from execution.plan.render import commands_of
from execution.steps.sql.results import Found
from guardia.common.canonical import digest
from guardia.common.clock import now
from guardia.common.masking import mask
from guardia.common.text import printable

ACTOR = "guardia-worker"
_EVENT_OUTPUT = 2000


def held(host_run: HostRun, claim: str, halts: QuerySet[Halt] | None = None) -> HostRun:
    """The host run's row, locked, if this worker still holds it; raises ClaimLost otherwise, and Halted where one of
    `halts` is there (asked in the same round trip)."""
    is_halted = Exists(halts) if halts is not None else Value(False)
    current = (
        HostRun.objects.select_for_update(of=("self",), no_key=True)
        .select_related("server__system", "wave")
        .annotate(is_halted=is_halted)
        .get(pk=host_run.pk)
    )
    if current.claim != claim:
        raise ClaimLost
    if current.is_halted:
        raise Halted
    return current


@transaction.atomic
def begin_step(
    host_run: HostRun, claim: str, run: Run, *, phase: Phase, order: int, attempt: int, name: str, saved: dict[str, str]
) -> StepResult:
    """Commit that a step is about to be tried: from here on its outcome counts as unknown until it is told.

    `saved` are the values that still hold; those that the step will save anew aren't among them. Raises ClaimLost,
    Halted.
    """
    current = held(host_run, claim, halts_on(run, phase))
    _keep(current, saved)
    result = StepResult.objects.create(host_run=current, phase=phase, order=order, name=name, attempt=attempt)
    append_event(run, "step_started", current, host=current.server.hostname, step=name, phase=phase)
    return result


@transaction.atomic
def keep_saved(host_run: HostRun, claim: str, saved: dict[str, str]) -> None:
    """Commit saved values before the next command: the next worker compares with them."""
    _keep(held(host_run, claim), saved)


@transaction.atomic
def end_step(
    result: StepResult,
    claim: str,
    run: Run,
    *,
    status: StepStatus,
    ops: Any,
    outcome: Outcome | None = None,
    error_code: str = "",
    error: str = "",
) -> None:
    """Commit how a step ended; saved values go to the host run, the chain gets commands, exit status and digest."""
    current = held(result.host_run, claim)
    result.status, result.finished_at, result.error_code = status, now(), error_code
    if outcome is not None:
        result.exit_status, result.output_sha256 = outcome.exit_status, outcome.sha256
        result.output = mask(printable(outcome.output))
        _keep(current, outcome.saved)
    result.save()
    if outcome is not None and outcome.found is not None:
        _keep_table(result, outcome.found)
    hostname = current.server.hostname
    append_event(
        run,
        f"step_{status.lower()}",
        current,
        host=hostname,
        step=result.name,
        phase=result.phase,
        error=error,
        output=result.output[-_EVENT_OUTPUT:],
    )
    record(
        action=f"step.{status.lower()}",
        actor=ACTOR,
        institution=run.task.institution,
        subject=result,
        task_id=run.task.task_id,
        summary=error,
        system=current.server.system.code,
        server=hostname,
        step=result.name,
        phase=result.phase,
        attempt=result.attempt,
        commands=[mask(command) for command in commands_of(ops)],
        result_code=result.exit_status,
        output_sha256=result.output_sha256,
        error_code=error_code,
    )


@transaction.atomic
def settle_host(host_run: HostRun, claim: str, run: Run, by: str, code: str = "", message: str = "") -> None:
    """Take a held host over one transition (`by`: its name) and tell it."""
    current = held(host_run, claim)
    transition = getattr(current, by)
    transition() if by in ("finish", "finish_undo", "spare") else transition(code, mask(message))
    current.save()
    hostname = current.server.hostname
    append_event(run, "host_settled", current, host=hostname, status=current.status, code=code, error=mask(message))
    record(
        action=f"host.{current.status.lower()}",
        actor=ACTOR,
        institution=run.task.institution,
        subject=current,
        task_id=run.task.task_id,
        summary=message,
        system=current.server.system.code,
        server=hostname,
        error_code=code,
    )


def steps_done(host_run: HostRun, phase: Phase) -> Mapping[int, StepResult]:
    """The latest attempt of each step so far, by order."""
    results = StepResult.objects.filter(host_run=host_run, phase=phase).order_by("order", "attempt")
    return {result.order: result for result in results}


def _keep(current: HostRun, saved: dict[str, str]) -> None:
    if current.saved != saved:
        current.saved = saved
        current.save(update_fields=["saved"])


def _keep_table(result: StepResult, found: Found) -> None:
    table = {"columns": found.columns, "rows": found.rows}
    ResultTable.objects.create(
        step=result, is_complete=found.is_complete, is_masked=found.is_masked, digest=digest(table), **table
    )
