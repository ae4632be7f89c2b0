"""SIGKILL for the worker in the look at what a host is like, in what heals a server, and between a failed check and its
answer. Like `test_kill_matrix` otherwise."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from cmdb.choices import OnDrift
from cmdb.models import EnvironmentProfile
from demo.artefacts import build_artefact
from demo.fleet import Fleet
from execution.models import Healing, Run, RunEvent, ServerFacts
from execution.plan.prepare import prepare_plan
from execution.rollout.start_run import start_run
from tests.execution.driver import MOMENTS, Drivers, Place, drivers
from tests.execution.fleet_tenant import FleetTenant, actions, artefact, assert_consistent, reset_hosts
from tests.execution.killing import all_wanted, assert_once, begun, drive, kill_at, tenant
from tests.execution.test_healing import Ward, healing_task
from tests.execution.test_kill_matrix import KILLS, SEED, check_words, finish
from tests.execution.worker import LEASE_SECONDS, Worker, until, workers
from tests.factories import approve, pending_step
from tickets.choices import Channel, SubType
from tickets.models import OpsTask
from tickets.services.file_task import file_task

__all__ = ["drive", "tenant"]  # fixtures of these suites
pytestmark = pytest.mark.slow


def test_killed_in_the_look_at_what_a_host_is_like(tenant: FleetTenant, drive: Drivers) -> None:
    """Each host's differences are told once, and taken over once."""
    EnvironmentProfile.objects.update(on_drift=OnDrift.ADAPT, os_text="Solaris")
    for number, moment in enumerate(MOMENTS * KILLS):
        reset_hosts(tenant.fleet)
        ServerFacts.objects.all().delete()
        run = begun(tenant, f"4.5.{number}", "{batches: [100%]}")
        place = ("APPLY", "scan", moment)
        assert drive.end(drive.drive(run.pk, until=place, delay=0.05)) == "killed"
        run = finish(drive, run)
        assert run.status == "SUCCEEDED", run.reason
        assert_once(tenant, run, sorted(tenant.hosts))
        facts = list(ServerFacts.objects.all())
        assert len(facts) == len(tenant.hosts)
        assert all("Solaris" not in row.adapted["os"] for row in facts)
        seen = RunEvent.objects.filter(run=run, kind="drift").values_list("host_run", flat=True)
        assert len(seen) == len(set(seen)) == len(tenant.hosts)
        assert_consistent(run)
        check_words(tenant, run)


@pytest.fixture
def ward(transactional_db: None, hosts: Fleet, in_english: None) -> Ward:
    return Ward(hosts, count=2, group="")


def test_killed_in_what_heals_a_server(ward: Ward, home: Path) -> None:
    """Bytes that were good, on a server that isn't well: at every boundary and inside every step."""
    rare = random.Random(SEED)
    wanted: list[Place] = []
    ill = sorted(ward.hosts)[0]
    with drivers(home / "drivers.log") as drive:
        for number in range(30 * KILLS):  # each run meets one place at least
            reset_hosts(ward.fleet)
            build_artefact(ward.tree(ill).artefact, "6.6.6", broken=True)
            run = heal(ward, ill, f"4.6.{number}")
            steps = run.plan.content["hosts"][ill]["steps"]
            if number == 0:
                wanted = all_wanted([("APPLY", step["name"], moment) for step in steps for moment in MOMENTS], rare)
            kill_at(drive, run, wanted, rare, 4)
            run = finish(drive, run)
            assert_consistent(run)
            did = actions(ward, ill)
            if run.status == "SUCCEEDED":
                assert did == ["shutdown", "startup"]
                assert (ward.states()[ill].status, ward.states()[ill].version) == (200, f"4.6.{number}")
            else:
                assert run.status == "MANUAL" and ill in run.reason, (run.status, run.reason)
            assert did.count("startup") <= 2 and "startup-refused" not in did, did
            check_words(ward, run)
            if not wanted:
                break
    assert not wanted, wanted


def heal(ward: Ward, hostname: str, version: str) -> Run:
    """A started run of the healing's own playbook on one host, as its task would be after people have approved it."""
    task = file_task(
        actor=ward.site_manager,
        text="self-healing",
        channel=Channel.API,
        artefact=SimpleUploadedFile("app.war", artefact(version)),
        system_code=ward.system.code,
        hostnames=[hostname],
        sub_type=SubType.SELF_HEAL,
    )
    plan = prepare_plan(task.pk)
    assert plan is not None, OpsTask.objects.get(pk=task.pk).reason
    while OpsTask.objects.get(pk=task.pk).status == "PEN":
        step = pending_step(task)
        approve(task, plan, step.asked_person)
    run = start_run(task.pk)
    assert run is not None, OpsTask.objects.get(pk=task.pk).reason
    return run


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1, 0.2, 0.5])
def test_a_worker_killed_between_a_failed_check_and_its_answer(ward: Ward, home: Path, moment: float) -> None:
    """The sweep finds what wasn't answered; nobody answers twice."""
    ill = ward.deployed().servers[0].hostname
    ward.fall_ill(ill)
    with workers(home) as start:
        task = ward.asked_check()
        victim = start()
        until(lambda: Run.objects.filter(task=task).exclude(status="RUNNING").exists())
        time.sleep(moment)
        victim.kill()
        run = answered(start, task)
    assert run.status == "ROLLED_BACK"
    healing = Healing.objects.get()
    assert healing.server.hostname == ill and healing.task == healing_task()
    assert OpsTask.objects.filter(sub_type=SubType.SELF_HEAL).count() == 1
    assert_consistent(run)


def answered(start_worker: Callable[[], Worker], task: OpsTask) -> Run:
    time.sleep(LEASE_SECONDS + 0.5)
    start_worker()  # sweeps as it starts
    until(lambda: Healing.objects.exists() and not Run.objects.filter(finished_at=None).exists(), 90, pause=0.1)
    until(lambda: OpsTask.objects.get(sub_type=SubType.SELF_HEAL).status == "PEN", 30, pause=0.1)
    return Run.objects.get(task=task)
