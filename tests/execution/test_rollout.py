"""Whole rollouts on real hosts: good, broken, broken half-way, a rollback that fails, runs that want the same hosts."""

import threading

from django.db import connection

from execution.models import HostLock, Run, StepResult
from execution.rollout.start_run import start_run
from execution.rollout.sweep import sweep
from notifications.models import Notification
from tests.execution.fleet_tenant import (
    FleetTenant,
    actions,
    assert_consistent,
    host_run,
    statuses,
    waves,
)
from tests.factories import approve
from tests.queue import run_queue
from tickets.models import OpsTask


def test_a_good_deployment_reaches_every_host_once(tenant: FleetTenant) -> None:
    before = tenant.states()
    run = tenant.deploy("2.1.0")
    after = tenant.states()
    assert OpsTask.objects.get(pk=run.task_id).status == "VAL"
    assert run.status == "SUCCEEDED"
    assert [len(wave) for wave in waves(run)] == [1, 2, 2]
    assert set(statuses(run).values()) == {"DONE"}
    for name in tenant.hosts:
        assert actions(tenant, name) == ["shutdown", "startup"]
        assert after[name].version == "2.1.0"
        assert after[name].pid != before[name].pid
    assert not StepResult.objects.exclude(status="OK").exists()
    assert not StepResult.objects.filter(attempt__gt=1).exists()
    package = run.result.document
    assert {host["health"] for host in package["hosts"]} == {"OK"}
    assert all(host["changed"] == ["back_up", "start", "stop", "swap", "upload"] for host in package["hosts"])
    assert_consistent(run)


def test_waves_follow_each_other(tenant: FleetTenant) -> None:
    run = tenant.deploy("2.1.1")
    number_of = {name: number for number, wave in enumerate(waves(run)) for name in wave}
    seen = [number_of[event.data["host"]] for event in run.events.filter(kind="step_started").order_by("number")]
    assert seen == sorted(seen)


def test_a_broken_artefact_stops_at_the_canary(tenant: FleetTenant) -> None:
    before = tenant.states()
    run = tenant.deploy("2.2.0", broken=True)
    after = tenant.states()
    task = OpsTask.objects.get(pk=run.task_id)
    canary = waves(run)[0][0]
    assert (task.status, run.status) == ("ERR", "ROLLED_BACK")
    assert canary in task.reason
    assert statuses(run) == {name: "UNDONE" if name == canary else "UNTOUCHED" for name in tenant.hosts}
    assert (after[canary].status, after[canary].version) == (200, before[canary].version)
    assert actions(tenant, canary) == ["shutdown", "startup"] * 2
    for name in set(tenant.hosts) - {canary}:
        assert after[name] == before[name]
    assert host_run(run, canary).error_code == "step_failed"
    told = set(Notification.objects.filter(kind="run_failed").values_list("recipient", flat=True))
    assert {tenant.site_manager.pk, tenant.pm.pk, tenant.owner.pk} <= told
    assert not list(tenant.tree(canary).root.joinpath("incoming").iterdir())
    assert_consistent(run)


def test_a_failure_in_the_second_wave_takes_that_wave_back_alone(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    canary, broken, partner = names[0], names[1], names[2]
    folder = tenant.tree(broken).app / "backup"
    folder.rename(folder.with_name("gone"))  # the back-up step has nowhere to go: the service is down by then
    try:
        run = tenant.deploy("2.3.0")
    finally:
        folder.with_name("gone").rename(folder)
    assert waves(run)[:2] == [[canary], [broken, partner]]
    assert (run.status, OpsTask.objects.get(pk=run.task_id).status) == ("ROLLED_BACK", "ERR")
    found = statuses(run)
    assert found == {
        canary: "DONE",
        broken: "UNDONE",
        partner: "UNDONE",
        names[3]: "UNTOUCHED",
        names[4]: "UNTOUCHED",
    }
    after = tenant.states()
    assert after[canary].version == "2.3.0"
    assert after[broken].version == after[partner].version != "2.3.0"
    assert {state.status for state in after.values()} == {200}
    assert_consistent(run)


def test_a_rollback_that_fails_is_handed_to_people(tenant: FleetTenant) -> None:
    canary = sorted(tenant.hosts)[0]
    tree = tenant.tree(canary)
    tree.startup.chmod(0o644)  # neither the deployment nor the way back can start it
    run = tenant.deploy("2.4.0")
    task = OpsTask.objects.get(pk=run.task_id)
    assert (run.status, task.status) == ("MANUAL", "MAN")
    assert statuses(run)[canary] == "UNDO_FAILED"
    assert canary in task.reason
    assert Notification.objects.filter(kind="manual_needed", recipient=tenant.owner).exists()
    assert {state for name, state in statuses(run).items() if name != canary} == {"UNTOUCHED"}
    assert_consistent(run)


def test_a_service_that_will_not_stop_is_not_started_a_second_time(tenant: FleetTenant) -> None:
    canary = sorted(tenant.hosts)[0]
    before = tenant.states()[canary]
    tenant.tree(canary).shutdown.chmod(0o644)
    run = tenant.deploy("2.5.0")
    assert run.status == "MANUAL"
    assert actions(tenant, canary) == []
    assert tenant.states()[canary] == before
    assert_consistent(run)


def test_a_run_waits_for_the_hosts_of_another(tenant: FleetTenant) -> None:
    first, _plan = tenant.wait_for_start("2.6.0")
    second, _plan = tenant.wait_for_start("2.7.0")
    assert start_run(first.pk) is not None
    assert start_run(second.pk) is None
    waiting = OpsTask.objects.get(pk=second.pk)
    assert waiting.status == "APP"
    assert waiting.reason
    run_queue()  # the first one runs; the second one's bell rings in vain
    assert OpsTask.objects.get(pk=first.pk).status == "VAL"
    assert sweep() == (1 if OpsTask.objects.get(pk=second.pk).status == "APP" else 0)
    run_queue()
    assert OpsTask.objects.get(pk=second.pk).status == "VAL"
    for name, state in tenant.states().items():
        assert state.version == "2.7.0"
        assert actions(tenant, name) == ["shutdown", "startup"] * 2
    for run in Run.objects.all():
        assert_consistent(run)


def test_two_tasks_that_start_at_once_never_share_a_host(tenant: FleetTenant) -> None:
    tasks = [tenant.wait_for_start(version)[0] for version in ("2.8.0", "2.9.0")]
    started: list[Run | None] = []
    barrier = threading.Barrier(2)

    def begin(pk: int) -> None:
        barrier.wait(10)
        try:
            started.append(start_run(pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=begin, args=(task.pk,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    runs = [run for run in started if run is not None]
    assert len(started) == 2
    assert len(runs) == 1
    assert set(HostLock.objects.values_list("run", flat=True)) == {runs[0].pk}
    assert sorted(OpsTask.objects.values_list("status", flat=True)) == ["APP", "EXE"]


def test_approvals_that_come_while_nobody_listens_are_found_by_the_sweep(tenant: FleetTenant) -> None:
    from django_q.models import OrmQ

    task, plan = tenant.planned(content=b"not an archive, so the canary fails")
    OrmQ.objects.all().delete()
    approve(task, plan, tenant.owner)
    approve(task, plan, tenant.pm)
    OrmQ.objects.all().delete()
    assert sweep() == 1
    run_queue()
    assert OpsTask.objects.get(pk=task.pk).status == "ERR"
