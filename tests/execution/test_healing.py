"""After a failed health check a server is brought back to its last good state, by a task like any other."""

import json
import subprocess
from datetime import timedelta

import pytest

from audit.models import Entry
from demo.artefacts import build_artefact
from execution.models import Healing, HostLock, Run
from execution.rollout.heal import answer_failed_check, checks_to_answer, last_good
from execution.rollout.sweep import sweep
from governance.choices import ReviewDecision
from governance.services.validate_result import validate_result
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, statuses
from tests.factories import approve, pending_step, stand
from tests.queue import run_queue
from tickets.choices import SubType
from tickets.models import OpsTask


class Ward(FleetTenant):
    """Hosts with an accepted deployment of 2.1.0."""

    def deployed(self) -> "Ward":
        run = self.deploy("2.1.0")
        assert run.status == "SUCCEEDED", run.reason
        validate_result(actor=self.pm, task_id=run.task.task_id, decision=ReviewDecision.ACCEPT)
        return self

    def fall_ill(self, hostname: str) -> None:
        """Somebody put other bytes there: the service runs, and isn't well."""
        tree = self.tree(hostname)
        subprocess.run([str(tree.shutdown)], capture_output=True, timeout=30)
        build_artefact(tree.artefact, "6.6.6", broken=True)
        subprocess.run([str(tree.startup)], capture_output=True, timeout=30)

    def asked_check(self) -> OpsTask:
        """A health check of all servers that everybody has approved; the queue holds its start."""
        task = self.file()
        OpsTask.objects.filter(pk=task.pk).update(sub_type=SubType.HEALTH_CHECK, category="INSPECTION", risk=1)
        run_queue()
        plan = task.plans.first()
        assert plan is not None
        approve(OpsTask.objects.get(pk=task.pk), plan, self.owner)
        return task

    def check(self) -> Run:
        """The same to its end; what follows from it waits in the queue or has been done."""
        task = self.asked_check()
        run_queue()
        return Run.objects.get(task=task)


@pytest.fixture
def ward(transactional_db: None, hosts: object, in_english: None) -> Ward:
    return Ward(hosts, count=2)  # type: ignore[arg-type]


def healing_task() -> OpsTask:
    return OpsTask.objects.get(sub_type=SubType.SELF_HEAL)


def test_without_a_pre_approval_it_is_a_proposal_that_people_decide_on(ward: Ward) -> None:
    ill, well = (server.hostname for server in ward.deployed().servers)
    ward.fall_ill(ill)
    run = ward.check()
    assert run.status == "ROLLED_BACK"
    task = healing_task()
    assert (task.status, list(task.servers.values_list("hostname", flat=True))) == ("PEN", [ill])
    assert run.task.task_id in task.text and task.requester == run.task.requester
    assert ward.states()[ill].status != 200, "nothing was done unasked"
    plan = task.plans.get()
    approve(task, plan, pending_step(task).asked_person)
    run_queue()
    healed = Run.objects.get(task=task)
    assert healed.status == "SUCCEEDED", healed.reason
    states = ward.states()
    assert (states[ill].status, states[ill].version) == (200, "2.1.0")
    assert set(statuses(healed)) == {ill} and well not in statuses(healed)
    assert OpsTask.objects.get(pk=task.pk).status == "VAL", "a PM validates it"
    entry = json.loads(Entry.objects.get(action="healing.proposed").body)
    assert entry["facts"]["servers"] == [ill] and entry["facts"]["check"] == run.task.task_id
    assert_consistent(healed)


def test_with_a_standing_pre_approval_it_runs_at_once(ward: Ward) -> None:
    ill = ward.deployed().servers[0].hostname
    stand(ward, sub_type=SubType.SELF_HEAL)
    ward.fall_ill(ill)
    ward.check()
    run_queue()
    healed = Run.objects.get(task=healing_task())
    assert healed.status == "SUCCEEDED", healed.reason
    assert (ward.states()[ill].status, ward.states()[ill].version) == (200, "2.1.0")
    ward.fall_ill(ill)
    ward.check()
    assert OpsTask.objects.filter(sub_type=SubType.SELF_HEAL).count() == 1, "not twice within the hour"
    assert "people should look" in Healing.objects.latest("pk").reason


def test_without_known_good_bytes_the_service_is_restarted(ward: Ward) -> None:
    ill = ward.servers[0]
    subprocess.run([str(ward.tree(ill.hostname).shutdown)], capture_output=True, timeout=30)
    assert last_good(ill) is None
    ward.check()
    task = Healing.objects.get(server=ill).task
    assert task is not None and (task.sub_type, task.status) == ("SERVICE_RESTART", "PEN")


def test_a_check_is_answered_once_and_a_lost_bell_by_the_sweep(ward: Ward) -> None:
    ward.deployed().fall_ill(ward.servers[0].hostname)
    run = ward.check()
    assert answer_failed_check(run.pk) == [] and Healing.objects.count() == 1
    assert not checks_to_answer().exists()
    task = healing_task()
    Healing.objects.all().delete()
    OpsTask.objects.filter(pk=task.pk).update(intake_key=None)
    assert list(checks_to_answer()) == [run]
    assert sweep() >= 1
    Run.objects.filter(pk=run.pk).update(finished_at=run.started_at - timedelta(hours=3))
    assert not checks_to_answer().exists(), "what is long ago is left to people"


def test_a_server_that_a_run_holds_is_left_to_it(ward: Ward) -> None:
    ward.deployed().fall_ill(ward.servers[0].hostname)
    run = ward.check()
    Healing.objects.all().delete()
    HostLock.objects.create(server=ward.servers[0], run=Run.objects.exclude(pk=run.pk).earliest("pk"))
    assert answer_failed_check(run.pk) == []
    assert "holds this server" in Healing.objects.get().reason


def test_what_is_no_symptom_of_the_service_is_not_answered(ward: Ward) -> None:
    ward.deployed()
    ward.profile.free_disk_mib = 2_000_000_000
    ward.profile.save()
    run = ward.check()
    assert run.status == "ROLLED_BACK" and not Healing.objects.exists()
    assert not OpsTask.objects.filter(sub_type=SubType.SELF_HEAL).exists()
