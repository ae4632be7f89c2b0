"""Workers are killed in the middle of rollouts. Whatever the moment: the run ends in a true state, and nothing that
should happen once happened twice."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from execution.models import Run, RunEvent, StepResult
from tests.execution.fleet_tenant import FleetTenant, actions, assert_consistent, statuses
from tests.execution.worker import LEASE_SECONDS, Worker, until, workers
from tickets.models import OpsTask

_HONEST_ENDS = {"SUCCEEDED", "ROLLED_BACK", "MANUAL"}


@pytest.fixture
def start_worker(tenant: FleetTenant, home: Path) -> Iterator[Callable[[], Worker]]:
    with workers(home) as start:
        yield start


def finish(start_worker: Callable[[], Worker]) -> Run:
    """Let another worker find what the dead one left, once its leases have ended."""
    time.sleep(LEASE_SECONDS + 0.5)
    start_worker()  # sweeps as it starts
    until(lambda: not Run.objects.get().is_living, 90, pause=0.1)
    return Run.objects.get()


def check_truth(tenant: FleetTenant, run: Run) -> None:
    """What the rows say is what the hosts show."""
    assert_consistent(run)
    run = Run.objects.get(pk=run.pk)
    task = OpsTask.objects.get(pk=run.task_id)
    assert run.status in _HONEST_ENDS
    states, found = tenant.states(), statuses(run)
    for name, status in found.items():
        did = actions(tenant, name)
        if status == "DONE":
            assert did == ["shutdown", "startup"], (name, did)
        elif status == "UNTOUCHED":
            assert did == [], (name, did)
        elif status == "UNDONE":
            assert states[name].status == 200, (name, did)
        else:
            assert status in ("UNCERTAIN", "UNDO_FAILED", "FAILED"), status
            needs_people = {"UNCERTAIN", "UNDO_FAILED"} & set(found.values())
            assert run.status == ("MANUAL" if needs_people else "ROLLED_BACK"), found
            assert status == "FAILED" or name in task.reason
        assert "startup-refused" not in did, (name, did)
        assert did.count("startup") <= 2, (name, did)


MOMENTS = [
    # step, broken artefact, phase: killed a moment after the step's row says that it has begun
    ("stop", False, "APPLY"),
    ("start", False, "APPLY"),
    ("start", True, "UNDO"),
    ("upload", False, "APPLY"),
    ("swap", False, "APPLY"),
    ("health", False, "APPLY"),
    ("stop", True, "UNDO"),
]
_QUICK = 2


@pytest.mark.parametrize(
    ("step", "broken", "phase"),
    [*MOMENTS[:_QUICK], *(pytest.param(*moment, marks=pytest.mark.slow) for moment in MOMENTS[_QUICK:])],
)
def test_a_worker_killed_in_a_step(
    tenant: FleetTenant, start_worker: Callable[[], Worker], step: str, broken: bool, phase: str
) -> None:
    tenant.wait_for_start("2.1.0", broken=broken)
    victim = start_worker()
    until(lambda: StepResult.objects.filter(name=step, phase=phase).exists())
    time.sleep(0.03 * (MOMENTS.index((step, broken, phase)) % 3))
    victim.kill()
    run = finish(start_worker)
    check_truth(tenant, run)
    assert run.status == ("ROLLED_BACK" if broken else "SUCCEEDED") or run.status == "MANUAL"
    if run.status == "SUCCEEDED":
        assert {state.version for state in tenant.states().values()} == {"2.1.0"}


def test_a_worker_killed_between_waves(tenant: FleetTenant, start_worker: Callable[[], Worker]) -> None:
    tenant.wait_for_start("2.1.0")
    victim = start_worker()
    until(lambda: RunEvent.objects.filter(kind="wave_opened").exists())
    victim.kill()
    run = finish(start_worker)
    check_truth(tenant, run)
    assert run.status == "SUCCEEDED"


@pytest.mark.slow
def test_workers_killed_again_and_again(tenant: FleetTenant, start_worker: Callable[[], Worker]) -> None:
    """Whatever the moments: it ends, and it ends in the truth."""
    tenant.wait_for_start("2.1.0")
    for moment in (1.3, 2.1, 0.9, 3.3, 1.7, 2.6):
        victim = start_worker()
        until(lambda: Run.objects.exists())
        time.sleep(moment)
        victim.kill()
        if not Run.objects.filter(finished_at=None).exists():
            break
    run = finish(start_worker)
    assert run.status in ("SUCCEEDED", "MANUAL", "ROLLED_BACK")
    check_truth(tenant, run)


@pytest.mark.slow
@pytest.mark.parametrize("tenths", range(0, 26, 2))
def test_a_worker_killed_at_any_moment(tenant: FleetTenant, start_worker: Callable[[], Worker], tenths: int) -> None:
    tenant.wait_for_start("2.1.0", broken=tenths % 3 == 2)
    victim = start_worker()
    until(lambda: Run.objects.exists())
    time.sleep(tenths / 10)
    victim.kill()
    check_truth(tenant, finish(start_worker))
