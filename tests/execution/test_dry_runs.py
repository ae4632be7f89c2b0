"""A dry run on real hosts: what would change is told, kept, and nothing is changed by it."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from accounts.choices import Role
from audit.models import Entry
from audit.verifying.all_chains import verify_all
from cmdb.models import Gateway, Site
from demo.fleet import Fleet
from execution.choices import HaltScope
from execution.gate.dry_runs import answer_dry_run, ask_dry_run
from execution.halts.press import halt
from execution.models import DryLook, DryRun, HostLock, Plan
from execution.rollout.start_run import start_run
from execution.rollout.sweep import sweep
from guardia.common.clock import now
from guardia.common.errors import NotPermitted, NotVisible, StaleState
from tests.doors import browser
from tests.execution.fleet_tenant import FleetTenant, actions, artefact
from tests.factories import Tenant, make_user
from tests.queue import run_queue
from tests.snapshot import nothing_changes
from tickets.models import OpsTask
from tickets.models.artefact import stored_path


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> FleetTenant:
    return FleetTenant(hosts, count=2)


def asked(tenant: FleetTenant, task: OpsTask) -> dict[str, dict[str, Any]]:
    """Hostname → step → what was found."""
    dry_run = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    answer_dry_run(dry_run.pk)
    looks = DryLook.objects.filter(dry_run=dry_run).select_related("server")
    assert DryRun.objects.get(pk=dry_run.pk).finished_at is not None and not any(look.error for look in looks)
    return {look.server.hostname: {one["step"]: one for one in look.findings} for look in looks}


def test_what_a_deployment_would_change_is_told_and_nothing_is_changed(tenant: FleetTenant) -> None:
    task, plan = tenant.planned(content=artefact("5.1.0"))
    states = tenant.states()
    found = asked(tenant, task)
    assert set(found) == set(tenant.hosts)
    sha = plan.content["artefacts"][0]["sha256"]
    for name, steps in found.items():
        assert list(steps) == [step["name"] for step in plan.content["hosts"][name]["steps"]], "each step has its word"
        assert steps["swap"]["verdict"] == "changes" and steps["swap"]["then"] == sha
        assert len(steps["swap"]["now"]) == 64 and steps["swap"]["now"] != sha
        assert steps["stop"]["verdict"] == "changes" and steps["stop"]["now"].startswith("PID ")
        assert steps["check_disk"]["verdict"] == "looks" and steps["check_disk"]["now"].isdigit()
        assert steps["upload"]["verdict"] == "unseen"
        assert actions(tenant, name) == []
    assert tenant.states() == states
    assert not (OpsTask.objects.get(pk=task.pk).runs.exists() or HostLock.objects.exists())
    told = Entry.objects.filter(task_id=task.task_id, action="dry_run.host_asked")
    assert told.count() == 2 and all(json.loads(entry.body)["commands"] for entry in told)
    assert Entry.objects.filter(task_id=task.task_id, action__in=["dry_run.asked", "dry_run.finished"]).count() == 2
    assert all(report.is_intact for report in verify_all())
    page = browser(tenant.pm, language="ko").get(f"/tasks/{task.task_id}/").content.decode()
    assert 'id="dry-run"' in page and sha in page
    document = browser(tenant.owner).get(f"/tasks/{task.task_id}/dry-run.json").json()
    assert document["plan_digest"] == plan.digest and set(document["hosts"]) == set(tenant.hosts)


def test_what_is_there_already_is_said_to_be_so(tenant: FleetTenant) -> None:
    assert tenant.deploy("5.2.0").status == "SUCCEEDED"
    task, _plan = tenant.planned(content=artefact("5.2.0"))
    assert {steps["swap"]["verdict"] for steps in asked(tenant, task).values()} == {"same"}


def planned_site(tenant: FleetTenant) -> OpsTask:
    """A task that brings a site's files as an archive, planned."""
    for name in tenant.hosts:
        www = tenant.tree(name).root / "www"
        www.mkdir(exist_ok=True)
        (www / "index.html").write_text("old")
        (www / "same.css").write_text("same")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in {"index.html": "new", "same.css": "same", "js/a.js": "a"}.items():
            archive.writestr(name, text)
    task = tenant.file(content=packed.getvalue())
    OpsTask.objects.filter(pk=task.pk).update(sub_type="STATIC_SYNC")
    run_queue()
    task = OpsTask.objects.get(pk=task.pk)
    assert task.status == "PEN", task.reason
    return task


def test_the_files_of_a_site_that_differ_are_named(tenant: FleetTenant) -> None:
    task = planned_site(tenant)
    for steps in asked(tenant, task).values():
        assert steps["static_sync"]["lines"] == ["+ js/a.js", "~ index.html"]
        assert steps["tidy"]["verdict"] == "unseen"
    assert not (tenant.tree(next(iter(tenant.hosts))).root / "www" / "js").exists()
    page = browser(tenant.pm).get(f"/tasks/{task.task_id}/").content.decode()
    assert "+ js/a.js\n~ index.html\n" in page and "{{" not in page


def test_an_archive_that_is_gone_ends_it_with_a_word(tenant: FleetTenant) -> None:
    """It is over for every server, instead of being asked again for ever."""
    task = planned_site(tenant)
    stored_path(task.plans.get().content["artefacts"][0]["tree_sha256"]).unlink()
    dry_run = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    answer_dry_run(dry_run.pk)
    assert DryRun.objects.get(pk=dry_run.pk).finished_at is not None
    assert all("went wrong" in look.error for look in dry_run.looks.all())
    assert all(report.is_intact for report in verify_all())


def test_who_may_ask_and_when(tenant: FleetTenant) -> None:
    task, _plan = tenant.planned()
    stranger, operator = Tenant(servers=0).pm, make_user(Role.OPERATOR, tenant.institution)
    with nothing_changes():
        with pytest.raises(NotVisible):
            ask_dry_run(actor=stranger, task_id=task.task_id)
        for person in (tenant.site_manager, tenant.owner):
            with pytest.raises(NotPermitted, match=str(tenant.pm)):
                ask_dry_run(actor=person, task_id=task.task_id)
    first = ask_dry_run(actor=operator, task_id=task.task_id)
    with nothing_changes(), pytest.raises(StaleState, match="already"):
        ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    DryRun.objects.filter(pk=first.pk).update(finished_at=now())
    pressed = halt(actor=tenant.pm, scope=HaltScope.INSTITUTION, institution=tenant.institution.code, reason="smoke")
    with nothing_changes(), pytest.raises(StaleState, match="smoke"):
        ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    type(pressed).objects.filter(pk=pressed.pk).update(lifted_at=now(), lifted_as="x", lift_reason="x")
    OpsTask.objects.filter(pk=task.pk).update(status="EXE")
    with nothing_changes(), pytest.raises(StaleState):
        ask_dry_run(actor=tenant.pm, task_id=task.task_id)


def test_a_press_ends_it_and_a_held_server_is_left_alone(tenant: FleetTenant) -> None:
    task, _plan = tenant.planned()
    run = start_run(tenant.approved()[0].pk)
    assert run is not None
    dry_run = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    answer_dry_run(dry_run.pk)
    assert {look.error for look in dry_run.looks.all()} == {"Another run holds this server."}
    again = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    halt(actor=tenant.pm, scope=HaltScope.INSTITUTION, institution=tenant.institution.code, reason="smoke")
    answer_dry_run(again.pk)
    assert all("smoke" in look.error for look in again.looks.all())
    assert not Entry.objects.filter(action="credential.used").exists(), "nobody logged in"


def test_servers_behind_a_gateway_are_named_as_not_asked(tenant: FleetTenant) -> None:
    far, near = tenant.servers
    keys = {"sign_key": "k", "seal_key": "k"}
    gateway = Gateway.objects.create(
        institution=tenant.institution, code="dmz", name="DMZ gateway", state="ACTIVE", **keys
    )
    site = Site.objects.create(institution=tenant.institution, code="FAR", name="far", tier=3, gateway=gateway)
    type(far).objects.filter(pk=far.pk).update(site=site)
    task, _plan = tenant.planned()
    client, page = browser(tenant.pm), f"/tasks/{task.task_id}/"
    assert "1 server stands behind a gateway" in client.get(page).content.decode()
    dry_run = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    answer_dry_run(dry_run.pk)
    errors = {look.server.hostname: look.error for look in dry_run.looks.select_related("server")}
    assert "DMZ gateway" in errors[far.hostname] and not errors[near.hostname]
    text = client.get(page).content.decode()
    assert "1 server was asked." in text and "1 server was not asked." in text
    assert f"{errors[far.hostname].split(',')[0]}" in text and f'<span class="mono">{far.hostname}</span>' in text
    used = Entry.objects.filter(task_id=task.task_id, action="credential.used")
    assert all(far.hostname not in entry.body for entry in used)


def test_a_lost_worker_is_followed_by_another_one(tenant: FleetTenant) -> None:
    task, _plan = tenant.planned()
    dry_run = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    DryRun.objects.filter(pk=dry_run.pk).update(lease_until=now() + timedelta(hours=1))
    answer_dry_run(dry_run.pk)
    assert not dry_run.looks.exclude(finished_at=None).exists(), "somebody else asks"
    DryRun.objects.filter(pk=dry_run.pk).update(lease_until=now() - timedelta(seconds=1))
    sweep()
    run_queue()
    assert DryRun.objects.get(pk=dry_run.pk).finished_at is not None
    assert dry_run.looks.exclude(finished_at=None).count() == 2


def test_a_host_that_cannot_be_reached_says_why(tenant: FleetTenant) -> None:
    type(tenant.servers[0]).objects.filter(pk=tenant.servers[0].pk).update(ssh_port=1)
    task, plan = tenant.planned()
    assert isinstance(plan, Plan)
    dry_run = ask_dry_run(actor=tenant.pm, task_id=task.task_id)
    answer_dry_run(dry_run.pk)
    errors = {look.server.hostname: look.error for look in dry_run.looks.select_related("server")}
    assert errors[tenant.servers[0].hostname] and not errors[tenant.servers[1].hostname]
