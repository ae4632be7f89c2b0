"""One rollout as a client sees it, with its times."""

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.artefacts import build_artefact
from demo.client import Person
from execution.models import StepResult
from governance.models import ApprovalStep


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, but for the counts. `first_byte`: from the last approval to the first command on the first host."""

    hosts: int
    status: str
    first_byte: float
    rollout: float
    event_median: float
    event_p95: float
    events: int


def measure_rollout(
    site: Person, owner: Person, pm: Person, hostnames: list[str], folder: Path, version: str
) -> Figures:
    """File, approve and watch one deployment to `hostnames`."""
    artefact = build_artefact(folder / f"bench-{version}.war", version, size=1 << 20)
    task = site.file(f"성능시험시스템 WAS 전체에 {version} 배포해 주세요", artefact, servers=hostnames)
    task_id = str(task.json()["task_id"])
    digest = _wait(owner, task_id, lambda history: history["task"]["status"] == "PEN")["plan_digest"]
    for who in (owner, pm):
        who.decide(task_id, digest).raise_for_status()
    run_pk = _wait(owner, task_id, lambda history: history["runs"])["runs"][-1]["run_id"]
    delays, status, started = [], "", time.monotonic()
    for event in owner.events(run_pk, patience=180):
        delays.append((datetime.now(UTC) - datetime.fromisoformat(event["at"])).total_seconds())
        status = event["data"].get("status", status) if event["kind"] == "run_finished" else status
    seconds = time.monotonic() - started
    return Figures(
        hosts=len(hostnames),
        status=status,
        first_byte=_first_byte(task_id, run_pk),
        rollout=seconds,
        event_median=statistics.median(delays[1:]),
        event_p95=statistics.quantiles(delays[1:], n=20)[-1],
        events=len(delays),
    )


def _first_byte(task_id: str, run_pk: int) -> float:
    decided = ApprovalStep.objects.filter(round__task__task_id=task_id).latest("decided_at").decided_at
    first = StepResult.objects.filter(host_run__wave__run=run_pk).earliest("started_at").started_at
    return (first - decided).total_seconds() if decided else float("nan")


def _wait(who: Person, task_id: str, until: Any, seconds: float = 120) -> dict[str, Any]:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        history: dict[str, Any] = who.get(f"/api/v1/task/history/{task_id}").json()
        if until(history):
            return history
        time.sleep(0.2)
    raise TimeoutError(f"{task_id} stayed in {history['task']['status']}: {history['task']['reason']}")
