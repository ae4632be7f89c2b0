"""SIGKILL for the worker at every boundary between two steps and inside every step, forward and on the way back.

`GUARDIA_KILLS` says how often each place is hit (once; the figure that the project reports is for 20). After each
death another worker carries on; in the end the rows, the hosts, the page and the chain say the same, and no step was
done twice.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db.models import Count
from django.utils.translation import override

from audit.models import Entry
from execution.choices import Phase
from execution.models import HostRun, Run, StepResult
from execution.rollout.start_run import start_run
from tests.doors import browser
from tests.execution.driver import MOMENTS, Drivers, Place, drivers
from tests.execution.fleet_tenant import FleetTenant, reset_hosts
from tests.execution.test_worker_death import check_truth
from tests.execution.worker import LEASE_SECONDS
from tickets.models import OpsTask

KILLS = int(os.environ.get("GUARDIA_KILLS", "1"))
#: Of the order and the delays: sessions side by side, each in a home of its own, share many kills.
SEED = int(os.environ.get("GUARDIA_KILLS_SEED", "4"))
#: In one run: a step that is interrupted again and again rightly goes to people.
KILLS_PER_RUN = 4

pytestmark = pytest.mark.slow


@pytest.fixture
def workers(tenant: FleetTenant, home: Path) -> Iterator[Drivers]:
    with drivers(home / "drivers.log") as started:
        yield started


def places(run: Run, phase: Phase) -> list[Place]:
    """All of the run's plan: its steps, or those of the way back in their order."""
    steps = next(iter(run.plan.content["hosts"].values()))["steps"]
    names = [step["name"] for step in steps]
    if phase == Phase.UNDO:
        names = [*(step["name"] for step in reversed(steps) if step["undo"]), "health_after_rollback"]
    return [(str(phase), name, moment) for name in names for moment in MOMENTS]


def begin(tenant: FleetTenant, number: int, phase: Phase) -> Run:
    reset_hosts(tenant.fleet)
    task, _plan = tenant.wait_for_start(f"2.1.{number}", broken=phase == Phase.UNDO)
    run = start_run(task.pk)
    assert run is not None, OpsTask.objects.get(pk=task.pk).reason
    return run


def finish(workers: Drivers, run: Run) -> Run:
    """No more deaths: the next workers carry the run to its end."""
    for _turn in range(20):
        if not Run.objects.get(pk=run.pk).is_living:
            break
        time.sleep(LEASE_SECONDS + 0.2)
        assert workers.end(workers.drive(run.pk)) == "ended"
    return Run.objects.get(pk=run.pk)


def check_words(tenant: FleetTenant, run: Run) -> None:
    """No step succeeded twice on a host, none is left as if it were under way; the page and the chain say what the rows
    say."""
    steps = StepResult.objects.filter(host_run__wave__run=run)
    assert not steps.filter(status="STARTED"), list(steps.filter(status="STARTED"))
    done = steps.filter(status__in=["OK", "PROBED"])
    twice = done.values("host_run", "phase", "order").annotate(times=Count("pk")).filter(times__gt=1)
    assert not twice, list(twice)
    task = OpsTask.objects.get(pk=run.task_id)
    [entry] = Entry.objects.filter(task_id=task.task_id, body__contains=run.result.digest)
    assert f'"to":"{task.status}"' in entry.body
    page = browser(tenant.pm, language="ko").get(f"/tasks/{task.task_id}/").content.decode()
    for host in HostRun.objects.filter(wave__run=run).select_related("server"):
        assert host.server.hostname in page
        with override("ko"):
            assert host.get_status_display() in page


@pytest.mark.parametrize("phase", [Phase.APPLY, Phase.UNDO])
def test_killed_at_every_boundary_and_inside_every_step(tenant: FleetTenant, workers: Drivers, phase: Phase) -> None:
    rare = random.Random(SEED)
    hit: Counter[Place] = Counter()
    missed: Counter[Place] = Counter()
    ends: Counter[str] = Counter()
    wanted: list[Place] = []
    for number in range(1, 12 * KILLS + 12):
        run = begin(tenant, number, phase)
        wanted = wanted or [place for place in places(run, phase) for _time in range(KILLS)]
        rare.shuffle(wanted)
        for place in wanted[:KILLS_PER_RUN]:
            delay = rare.choice([0, 0.005, 0.02, 0.05, 0.2])
            if workers.end(workers.drive(run.pk, until=place, delay=delay)) == "killed":
                wanted.remove(place)
                hit[place] += 1
                time.sleep(LEASE_SECONDS + 0.2)
            else:
                missed[place] += 1
                break
        run = finish(workers, run)
        check_truth(tenant, run)
        check_words(tenant, run)
        ends[run.status] += 1
        if not wanted:
            break
    for place in sorted(hit | missed):
        print(f"{' '.join(place):40} {hit[place]}")
    print(f"{sum(hit.values())} kills in {sum(ends.values())} runs; ends: {dict(ends)}")
    assert not wanted, wanted
