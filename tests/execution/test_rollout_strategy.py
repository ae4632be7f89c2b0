"""Strategies on real hosts: tolerance and a second try, bake and gate, the whole run back, a way back that fails."""

import hashlib
import subprocess
import time

import pytest
from django.db import DatabaseError, transaction

from audit.models import Entry
from demo.fleet import Fleet
from execution.choices import HeldFor, RollbackScope
from execution.models import CoreLog, HostRun, Run, StepResult
from execution.rollout.core_logs import fetch_core_logs
from execution.rollout.drive import drive_run
from execution.rollout.resume_run import resume_run
from execution.rollout.retry_failed import retry_failed
from execution.rollout.steer_run import abort_run, pause_run, skip_host
from execution.ssh.exceptions import ConnectionLost
from tests.doors import browser
from tests.execution.fleet_tenant import FleetTenant, actions, artefact, assert_consistent
from tests.execution.strategies import publish_strategy, told
from tests.factories import Tenant
from tests.queue import run_queue
from tickets.models import OpsTask


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> FleetTenant:
    """Every host stands alone."""
    return FleetTenant(hosts, group="")


def again(run: Run) -> Run:
    return Run.objects.select_related("task").get(pk=run.pk)


def versions(tenant: FleetTenant) -> dict[str, str]:
    states = tenant.states()
    assert {state.status for state in states.values()} == {200}
    return {name: state.version for name, state in states.items()}


def started(tenant: FleetTenant, block: str, version: str) -> Run:
    publish_strategy(block)
    task, _plan = tenant.approved(content=artefact(version))
    run_queue()
    return Run.objects.get(task=task)


def test_a_tolerated_failure_goes_back_alone_and_is_tried_again(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    before = versions(tenant)
    broken = names[1]
    folder = tenant.tree(broken).app / "backup"
    folder.rename(folder.with_name("gone"))  # the back-up has nowhere to go: the service is down by then
    try:
        run = started(tenant, "{batches: [1, 2, 100%], tolerate: {wave: 1, run: 1}}", "3.1.0")
    finally:
        folder.with_name("gone").rename(folder)
    assert (again(run).status, again(run).task.status) == ("SUCCEEDED", "VAL")
    assert told(run) == {name: "UNDONE" if name == broken else "DONE" for name in names}
    assert broken in again(run).task.reason
    assert versions(tenant) == {name: before[name] if name == broken else "3.1.0" for name in names}
    assert_consistent(run)
    retry_failed(actor=tenant.pm, task_id=run.task.task_id, reason="the folder is back")
    run_queue()
    assert again(run).status == "SUCCEEDED" and set(told(run).values()) == {"DONE"}
    assert set(versions(tenant).values()) == {"3.1.0"}
    for name in names:
        assert actions(tenant, name) == ["shutdown", "startup"] * (2 if name == broken else 1), name
    assert_consistent(run)


def test_a_wave_is_watched_asked_again_and_let_go(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    run = started(tenant, "{batches: [2, 100%], bake: 2, gate: manual}", "3.2.0")
    assert again(run).held_for == HeldFor.BAKE
    assert {told(run)[name] for name in names[2:]} == {"PENDING"}
    time.sleep(2)
    drive_run(run.pk)  # the sweep's bell
    looked = StepResult.objects.filter(host_run__wave__run=run, phase="CHECK")
    assert [(row.name, row.status) for row in looked] == [("health_after_bake", "OK")] * 2
    assert again(run).held_for == HeldFor.GATE
    resume_run(actor=tenant.pm, task_id=run.task.task_id)
    run_queue()
    assert again(run).status == "SUCCEEDED"
    assert all(actions(tenant, name) == ["shutdown", "startup"] for name in names)
    assert_consistent(run)


@pytest.mark.slow
def test_what_falls_ill_while_it_is_watched_takes_its_wave_back(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    before = versions(tenant)
    run = started(tenant, "{batches: [2, 100%], bake: 1}", "3.3.0")
    subprocess.run([str(tenant.tree(names[0]).shutdown)], check=True, capture_output=True, timeout=30)
    time.sleep(1)
    drive_run(run.pk)
    assert (again(run).status, again(run).task.status) == ("ROLLED_BACK", "ERR")
    assert told(run) == {name: "UNDONE" if name in names[:2] else "UNTOUCHED" for name in names}
    assert names[0] in again(run).reason
    assert versions(tenant) == before
    assert_consistent(run)


def test_the_whole_run_goes_back_also_what_had_succeeded(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    before = versions(tenant)
    folder = tenant.tree(names[2]).app / "backup"
    folder.rename(folder.with_name("gone"))
    try:
        run = started(tenant, "{batches: [1, 2, 100%], rollback: run}", "3.4.0")
    finally:
        folder.with_name("gone").rename(folder)
    assert (again(run).status, again(run).task.status) == ("ROLLED_BACK", "ERR")
    assert told(run) == {name: "UNDONE" if name in names[:3] else "UNTOUCHED" for name in names}
    assert versions(tenant) == before
    back = [event.data["wave"] for event in run.events.filter(kind="rollback_started").order_by("number")]
    assert back == [2, 1]
    assert_consistent(run)


def test_a_lone_way_back_that_fails_stops_everything_of_this_run(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    tenant.tree(names[0]).startup.chmod(0o644)  # neither the deployment nor the way back can start it
    run = started(tenant, "{batches: [2, 100%], tolerate: {wave: 1, run: 1}}", "3.5.0")
    assert (again(run).status, again(run).task.status) == ("MANUAL", "MAN")
    found = told(run)
    assert found[names[0]] == "UNDO_FAILED" and names[0] in again(run).reason
    assert {found[name] for name in names[2:]} == {"UNTOUCHED"}
    assert_consistent(run)


@pytest.mark.slow
def test_people_pause_skip_go_on_and_abort(tenant: FleetTenant) -> None:
    names = sorted(tenant.hosts)
    before = versions(tenant)
    run = started(tenant, "{batches: [2, 2, 100%], gate: manual}", "3.6.0")
    task_id = run.task.task_id
    skip_host(actor=tenant.pm, task_id=task_id, hostname=names[2], reason="is moved tonight")
    pause_run(actor=tenant.pm, task_id=task_id, reason="lunch")
    run_queue()
    assert again(run).held_for == HeldFor.PAUSE
    for _hold in ("pause", "gate"):
        resume_run(actor=tenant.pm, task_id=task_id)
        run_queue()
    assert told(run)[names[3]] == "DONE" and again(run).held_for == HeldFor.GATE
    abort_run(actor=tenant.pm, task_id=task_id, reason="wrong file", rollback=RollbackScope.RUN)
    run_queue()
    assert (again(run).status, OpsTask.objects.get(pk=run.task_id).status) == ("ABORTED", "ERR")
    assert HostRun.objects.get(wave__run=run, server__hostname=names[2]).status == "SKIPPED"
    assert actions(tenant, names[2]) == actions(tenant, names[4]) == []
    assert versions(tenant) == before
    assert_consistent(run)


def test_the_logs_of_a_failed_host_are_kept_bounded_masked_and_read_by_few(tenant: FleetTenant) -> None:
    name = sorted(tenant.hosts)[0]
    tenant.profile.core_logs = ["app/logs/none.log"]
    tenant.profile.save()
    log = tenant.tree(name).log
    hostile = b"\xff\xfe\x1b[2J password=hunter2secret \xb0\xa1 <script>\n"
    log.write_bytes(b"x" * 200_000 + hostile)
    publish_strategy("{batches: [1, 100%]}")
    task, _plan = tenant.approved(content=artefact("3.7.0", broken=True))
    run_queue()
    run = Run.objects.get(task=task)
    assert (run.status, told(run)[name]) == ("ROLLED_BACK", "UNDONE")
    kept, missing = CoreLog.objects.filter(host_run__wave__run=run).order_by("pk")
    assert kept.path == str(log) and len(kept.text) <= 64 * 1024 and missing.error and not missing.text
    assert "hunter2secret" not in kept.text and "\x1b" not in kept.text and "\x00" not in kept.text
    assert hashlib.sha256(kept.text.encode()).hexdigest() == kept.sha256
    assert Entry.objects.filter(action="log.kept", task_id=task.task_id).count() == 2
    with pytest.raises(DatabaseError), transaction.atomic():
        CoreLog.objects.filter(pk=kept.pk).update(text="forged")
    path = f"/tasks/{task.task_id}/logs/{kept.pk}/"
    for person, status in ((tenant.site_manager, 403), (Tenant(servers=1).pm, 404)):
        assert browser(person).post(path).status_code == status
    assert not Entry.objects.filter(action="log.opened").exists()
    answer = browser(tenant.pm).post(path)
    assert answer.status_code == 200 and answer.content.decode() == kept.text
    assert answer["Content-Type"] == "text/plain; charset=utf-8" and "attachment" in answer["Content-Disposition"]
    assert Entry.objects.filter(action="log.opened", task_id=task.task_id).count() == 1
    assert 'id="core-logs"' in browser(tenant.pm).get(f"/tasks/{task.task_id}/").content.decode()


class Silent:
    """A session whose host answers nothing any more."""

    def __init__(self) -> None:
        self.asked = 0

    def tail(self, path: str, *, keep: int, seconds: float) -> str:
        self.asked += 1
        raise ConnectionLost


def test_a_host_that_answers_no_more_is_asked_once() -> None:
    session = Silent()
    (found,) = fetch_core_logs(session, ["/a", "/b", "/c"])  # type: ignore[arg-type]
    assert session.asked == 1 and found.error and not found.text
