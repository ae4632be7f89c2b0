"""The end of a run: locks released, result packaged, the task moved, people told; one transaction with the last row."""

from typing import Any

from accounts.choices import Role
from accounts.models import User
from accounts.scope import holders_of
from audit.services import record
from execution.choices import RunStatus
from execution.live.events import append_event
from execution.models import Halt, HostLock, HostRun, ResultPackage, ResultTable, Run
from execution.rollout.where import left_out
from governance.selectors import people_for
from guardia.common.canonical import digest, moment_text
from guardia.common.clock import now
from guardia.common.queue import enqueue
from notifications.services import notify
from tickets.choices import SubType
from tickets.services.transition_task import transition_task

ACTOR = "guardia"
_LOG_LINES = 2000


def finish_run(run: Run) -> None:
    """The run's row has just reached its last state and is locked, its task too."""
    task = run.task
    package = _close(run)
    ends = {
        RunStatus.SUCCEEDED: ("finish", "validation_requested"),
        RunStatus.ROLLED_BACK: ("fail", "run_failed"),
        RunStatus.ABORTED: ("fail", "run_aborted"),
        RunStatus.MANUAL: ("hand_over", "manual_needed"),
    }
    by, kind = ends[RunStatus(run.status)]
    transition_task(task=task, by=by, actor=ACTOR, reason=run.reason, run=run.pk, result_digest=package.digest)
    recipients = list(holders_of(Role.PM, task.institution_id))
    if run.status != RunStatus.SUCCEEDED:
        recipients += [task.requester, *people_for("OWNER", task)]
    notify(
        recipients=recipients,
        kind=kind,
        key=f"run:{run.pk}:{package.digest[:12]}",
        link=f"/tasks/{task.task_id}/",
        task=task.task_id,
        title=task.title,
        reason=run.reason,
    )
    _tell_end(run)


def end_halted(run: Run) -> None:
    """A locked, halted run that nobody goes on with: its task has left HLT or is leaving it."""
    run.end_halted()
    run.save()
    _close(run)
    _tell_end(run)


def _close(run: Run) -> ResultPackage:
    """The servers are free again, the result is kept, and what was pressed for this run alone is over."""
    HostLock.objects.filter(run=run).delete()
    lift_halts_of_run(run, actor=ACTOR, reason="the run has ended")
    document = result_document(run)
    values = {"document": document, "digest": digest(document)}
    return ResultPackage.objects.update_or_create(run=run, defaults=values)[0]  # anew, where it was tried again


def _tell_end(run: Run) -> None:
    append_event(run, "run_finished", status=run.status, reason=run.reason)
    if run.task.sub_type == SubType.HEALTH_CHECK and run.status == RunStatus.ROLLED_BACK:
        enqueue("execution.tasks.answer_failed_check", run.pk)
    enqueue("execution.tasks.sweep")  # somebody may wait for these servers


def lift_halts_of_run(run: Run, *, actor: User | str, reason: str) -> None:
    """End the press that stops this one run, if there is one."""
    for halt in Halt.objects.select_for_update(of=("self",)).filter(run=run, lifted_at=None):
        mark_lifted(halt, actor=actor, reason=reason)


def mark_lifted(halt: Halt, *, actor: User | str, reason: str) -> None:
    """A locked, living press is over: the row, and its entry."""
    halt.lifted_by, halt.lifted_as = (None, actor) if isinstance(actor, str) else (actor, str(actor))
    halt.lifted_at, halt.lift_reason = now(), reason
    halt.save(update_fields=["lifted_by", "lifted_as", "lifted_at", "lift_reason"])
    record(
        action="halt.lifted",
        actor=actor,
        institution=halt.institution,
        subject=halt,
        task_id=halt.run.task.task_id if halt.run is not None else "",
        summary=reason,
        scope=halt.scope,
    )


def result_document(run: Run) -> dict[str, Any]:
    """What changed, the execution log, and how every host is."""
    hosts = (
        HostRun.objects.filter(wave__run=run)
        .select_related("server", "wave")
        .prefetch_related("steps__table")
        .order_by("wave__number", "pk")
    )
    content = run.plan.content
    return {
        "task": run.task.task_id,
        "run": run.pk,
        "status": run.status,
        "reason": run.reason,
        "plan_digest": run.plan.digest,
        "diff_digest": run.diff_digest,
        "playbook": content["playbook"],
        "artefacts": content["artefacts"],
        "started_at": moment_text(run.started_at),
        "finished_at": moment_text(run.finished_at) if run.finished_at else "",
        "hosts": [_host(host, content["hosts"][host.server.hostname]["steps"]) for host in hosts],
    }


def _host(host: HostRun, steps: list[dict[str, Any]]) -> dict[str, Any]:
    results = list(host.steps.all())
    changed = {order for order, step in enumerate(steps) if step["changes"]}
    return {
        "hostname": host.server.hostname,
        "wave": host.wave.number,
        "status": host.status,
        "error_code": host.error_code,
        "error": host.error,
        "changed": sorted(
            {r.name for r in results if r.phase == "APPLY" and r.order in changed and r.status != "FAILED"}
        ),
        "left_out": left_out(steps, results, host.saved),  # type: ignore[arg-type]  # steps of a plan, read back
        "health": next((r.status for r in reversed(results) if r.name.startswith("health")), ""),
        "drift": [one for r in results if r.phase == "APPLY" for one in r.drift],
        "tables": [_table(result.table) for result in results if hasattr(result, "table")],
        "steps": [
            {
                "phase": result.phase,
                "name": result.name,
                "attempt": result.attempt,
                "status": result.status,
                "exit_status": result.exit_status,
                "output_sha256": result.output_sha256,
                "seconds_ms": _milliseconds(result),
            }
            for result in results[:_LOG_LINES]
        ],
    }


def _table(table: ResultTable) -> dict[str, Any]:
    """The rows themselves stay in their own table, for those who may export them."""
    return {
        "id": table.pk,
        "columns": table.columns,
        "rows": len(table.rows),
        "is_complete": table.is_complete,
        "is_masked": table.is_masked,
        "digest": table.digest,
    }


def _milliseconds(result: Any) -> int:
    return int((result.finished_at - result.started_at).total_seconds() * 1000) if result.finished_at else 0
