"""Deaths of workers in runs under a strategy of the test's own, and what must hold after them."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.fleet import Fleet
from execution.models import Run
from execution.rollout.start_run import start_run
from tests.execution.driver import Drivers, Place, drivers
from tests.execution.fleet_tenant import FleetTenant, actions
from tests.execution.strategies import publish_strategy, told
from tests.execution.test_kill_matrix import KILLS
from tests.execution.worker import LEASE_SECONDS
from tickets.models import OpsTask

_DELAYS = (0, 0.005, 0.02, 0.05, 0.2)


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> FleetTenant:
    """Every host stands alone."""
    return FleetTenant(hosts, count=4, group="")


@pytest.fixture
def drive(tenant: FleetTenant, home: Path) -> Iterator[Drivers]:
    with drivers(home / "drivers.log") as started:
        yield started


def begun(tenant: FleetTenant, version: str, block: str = "") -> Run:
    if block:
        publish_strategy(block)
    task, _plan = tenant.wait_for_start(version)
    run = start_run(task.pk)
    assert run is not None, OpsTask.objects.get(pk=task.pk).reason
    return run


def again(run: Run) -> Run:
    return Run.objects.select_related("task", "plan").get(pk=run.pk)


def ended(drivers: Drivers, run: Run) -> None:
    """A worker's turn without a death."""
    assert drivers.end(drivers.drive(run.pk)) == "ended"


def all_wanted(places: list[Place], rare: random.Random) -> list[Place]:
    wanted = [place for place in places for _time in range(KILLS)]
    rare.shuffle(wanted)
    return wanted


def kill_at(drivers: Drivers, run: Run, wanted: list[Place], rare: random.Random, most: int) -> Counter[Place]:
    """As many deaths in this run as its places are still to come, each in another step: one in which workers are lost
    again and again rightly fails. Those that were hit are wanted no more."""
    hit: Counter[Place] = Counter()
    by_step = {place[1]: place for place in reversed(wanted)}
    for place in list(by_step.values())[:most]:
        if drivers.end(drivers.drive(run.pk, until=place, delay=rare.choice(_DELAYS))) != "killed":
            break
        wanted.remove(place)
        hit[place] += 1
        time.sleep(LEASE_SECONDS + 0.2)
    return hit


def assert_once(tenant: FleetTenant, run: Run, names: list[str]) -> None:
    """These hosts were deployed to once, and are well."""
    states = tenant.states()
    for name in names:
        assert actions(tenant, name) == ["shutdown", "startup"], (name, told(run))
        assert states[name].status == 200, name
