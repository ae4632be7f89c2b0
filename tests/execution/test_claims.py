"""Bells that are lost or ring twice, workers that share a run, and a worker whose hosts were taken over."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from audit.models import Entry
from execution.choices import Phase, StepStatus
from execution.exceptions import ClaimLost
from execution.models import HostRun, Run, RunEvent, StepResult
from execution.rollout.claims import claim_hosts
from execution.rollout.drive import drive_run
from execution.rollout.host import HostWorker
from execution.rollout.ledger import Ledger
from execution.rollout.record import Begin, End, Keep, Settle
from execution.rollout.start_run import start_run
from execution.rollout.sweep import sweep
from execution.tasks import prepare_plan
from guardia.common.queue import enqueue
from tests.execution.fleet_tenant import FleetTenant, actions, artefact, assert_consistent, statuses
from tests.execution.worker import until
from tests.factories import Tenant
from tests.queue import run_queue
from tickets.models import OpsTask

ONCE = ["shutdown", "startup"]


def begin(tenant: Tenant, **options: Any) -> Run:
    """A run that has begun; nobody drives it yet."""
    task, _plan = tenant.approved(**options)
    run = start_run(task.pk)
    assert run is not None
    OrmQ.objects.all().delete()
    return run


def in_threads(count: int, work: Any) -> None:
    def body() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_a_lost_bell_is_found_at_each_stage(tenant: FleetTenant) -> None:
    task = tenant.file(content=artefact("2.1.0"))
    OrmQ.objects.all().delete()
    assert sweep() == 1
    run_queue()
    assert OpsTask.objects.get(pk=task.pk).status == "PEN"
    assert sweep() == 0  # it waits for people


def test_a_run_whose_bell_was_lost_is_found(tenant: FleetTenant) -> None:
    run = begin(tenant)
    assert sweep() == 1
    run_queue()
    assert_consistent(run)


def test_bells_that_ring_twice_change_nothing(tenant: FleetTenant) -> None:
    task, plan = tenant.wait_for_start("2.1.0")
    assert prepare_plan(task.pk) is None  # type: ignore[func-returns-value]
    for _ in range(2):
        enqueue("execution.tasks.start_run", task.pk)
    run_queue()
    run = Run.objects.get()
    for _ in range(2):
        enqueue("execution.tasks.drive_run", run.pk)
    events = RunEvent.objects.count()
    run_queue()
    assert RunEvent.objects.count() == events
    assert task.plans.get().pk == plan.pk
    assert {name: actions(tenant, name) for name in tenant.hosts} == dict.fromkeys(tenant.hosts, ONCE)
    assert_consistent(run)


def test_workers_that_share_a_run_take_each_host_once(tenant: FleetTenant, settings: Any) -> None:
    settings.GUARDIA_HOSTS_AT_ONCE = 1  # so that no worker can take a whole wave
    run = begin(tenant, content=artefact("2.1.0"))
    in_threads(3, lambda: drive_run(run.pk))
    while Run.objects.get(pk=run.pk).is_living:  # who found nothing to take has left
        sweep()
        run_queue()
    taken = Counter(RunEvent.objects.filter(kind="host_taken").values_list("host_run", flat=True))
    assert set(taken.values()) == {1}
    assert {name: actions(tenant, name) for name in tenant.hosts} == dict.fromkeys(tenant.hosts, ONCE)
    assert Run.objects.get(pk=run.pk).status == "SUCCEEDED"
    assert_consistent(run)


def test_a_worker_that_was_taken_over_stops_writing(tenant: FleetTenant) -> None:
    run = begin(tenant, content=artefact("2.1.0"))
    thread = threading.Thread(target=lambda: (drive_run(run.pk), connection.close()))
    thread.start()
    begun = StepResult.objects.filter(name="stop", status="STARTED")
    until(begun.exists)
    HostRun.objects.filter(pk=begun.get().host_run_id).update(
        claim="another", lease_until=timezone.now() + timedelta(minutes=1)
    )
    thread.join(30)
    assert not thread.is_alive()
    host = HostRun.objects.get(steps__name="stop")
    assert (host.status, host.claim) == ("RUNNING", "another")
    assert host.steps.get(name="stop").status == "STARTED"  # the new holder's to judge
    assert host.steps.latest("pk").name == "stop"
    HostRun.objects.filter(pk=host.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    drive_run(run.pk)
    assert set(statuses(run).values()) == {"DONE"}
    assert {name: actions(tenant, name) for name in tenant.hosts} == dict.fromkeys(tenant.hosts, ONCE)
    assert_consistent(run)


@pytest.mark.django_db
def test_no_write_works_with_a_stale_claim() -> None:
    run = begin(Tenant(servers=1))
    host = claim_hosts(run, "mine", 1)[0]
    ledger = Ledger(run, "mine")
    result = ledger.write(host, Begin(Phase.APPLY, 0, 1, "check_disk", {}))
    assert result is not None
    HostRun.objects.filter(pk=host.pk).update(claim="another")
    rows = (StepResult.objects.count(), RunEvent.objects.count(), Entry.objects.count())
    notes = [
        Begin(Phase.APPLY, 1, 1, "x", {}),
        End(result, StepStatus.OK, ()),
        Keep({"pid_before": "1"}),
        Settle("finish"),
    ]
    for note in notes:
        with pytest.raises(ClaimLost):
            ledger.write(host, note)
    HostWorker(host, run, run.plan.content["hosts"][host.server.hostname], "mine", threading.Event()).carry_on()
    assert rows == (StepResult.objects.count(), RunEvent.objects.count(), Entry.objects.count())
    assert HostRun.objects.get(pk=host.pk).status == "RUNNING"
    assert HostRun.objects.get(pk=host.pk).saved == {}


@pytest.mark.django_db
def test_a_living_lease_is_respected_and_an_expired_one_is_not() -> None:
    run = begin(Tenant(servers=1))
    held = claim_hosts(run, "first", 5)
    assert [host.is_untouched for host in held] == [True]
    assert claim_hosts(run, "second", 5) == []
    assert sweep() == 0
    HostRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep() == 1
    again = claim_hosts(run, "second", 5)
    assert [host.pk for host in again] == [held[0].pk]
    assert [host.is_untouched for host in again] == [False], "its first holder may have begun a step at this moment"
    assert RunEvent.objects.latest("number").kind == "host_recovered"
