"""What a host is like against what its profile says: parsed and compared by data files, looked at on real hosts."""

import getpass
import json
from pathlib import Path
from typing import Any

import pytest

from audit.models import Entry
from cmdb.choices import OnDrift
from cmdb.models import EnvironmentProfile
from execution.facts.compare import drift_of
from execution.facts.parse import parse_facts
from execution.models import Run, ServerFacts, StepResult
from execution.plan.build import build_document, playbook_for
from execution.plan.render import commands_of
from execution.steps.scripts import SCRIPTS
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, statuses, waves
from tests.execution.local_host import LocalHost
from tests.execution.test_step_scripts import host
from tests.factories import Tenant

__all__ = ["host"]
CASES = sorted((Path(__file__).parent / "facts").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_facts_are_parsed_and_compared(path: Path) -> None:
    case = json.loads(path.read_text())
    facts = parse_facts(case["output"])
    assert (facts.named, facts.paths) == (case["named"], case["paths"])
    found = drift_of(facts, case["expects"])
    assert [[one["fact"], one["expected"], one["found"], one["then"]] for one in found] == case["drift"]


def test_any_shell_says_what_is_there(host: LocalHost) -> None:
    """`host`: dash and BusyBox."""
    for name in ("plain", "file"):
        (host.home / name).write_text("")
    program = host.home / "run 'it'.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (host.home / "back up").mkdir()
    said = {
        "x:run 'it'.sh": "program", "x:plain": "no program", "x:none": "missing", "d:back up": "folder",
        "d:made/a": "missing", "d:file": "no folder", "d:new": "folder", "f:file/x": "missing",
    }  # fmt: skip
    wanted = [f"{want[:2]}{host.home}/{want[2:]}" for want in said]
    argv = ["sh", "-c", SCRIPTS["facts"], "guardia", str(host.home), str(host.home / "no.pid"), "sudo", *wanted]
    assert host.perform([{"op": "exec", "argv": argv, "expect": {}, "seconds": 10}]) == "", host.output
    facts = parse_facts(host.output)
    assert facts.named["account"] == getpass.getuser() == facts.named["owner"]
    assert facts.named["os"] and facts.named["sudo"] in ("allowed", "none") and facts.named["process"] == ""
    assert facts.paths == dict(zip([want[2:] for want in wanted], said.values(), strict=True))


def looking(tenant: Tenant, on_drift: OnDrift, **values: Any) -> None:
    EnvironmentProfile.objects.filter(institution=tenant.institution).update(on_drift=on_drift, **values)
    for server in tenant.servers:
        server.refresh_from_db()


def test_a_host_as_its_profile_says_is_told_so_by_nobody(tenant: FleetTenant) -> None:
    looking(tenant, OnDrift.STOP, service_account=getpass.getuser(), process_text="was.py")
    run = tenant.deploy("2.1.0")
    assert run.status == "SUCCEEDED", run.reason
    assert set(StepResult.objects.filter(name="scan").values_list("status", flat=True)) == {"OK"}
    assert not run.events.filter(kind="drift").exists()
    shown = commands_of(run.plan.content["hosts"][tenant.servers[0].hostname]["steps"][0]["apply"])[0]
    assert f"owner = {getpass.getuser()}" in shown and "startup.sh = program" in shown, "approvers see what is expected"
    assert_consistent(run)


def test_a_difference_stops_before_anything_is_changed(tenant: FleetTenant) -> None:
    looking(tenant, OnDrift.STOP, os_text="Windows NT 3.51")
    before = tenant.states()
    run = tenant.deploy("2.1.0")
    canary = waves(run)[0][0]
    assert run.status == "ROLLED_BACK" and "Windows NT 3.51" in run.reason
    assert {name: status for name, status in statuses(run).items() if status != "UNTOUCHED"} == {canary: "FAILED"}
    assert tenant.states() == before
    document = next(host for host in run.result.document["hosts"] if host["hostname"] == canary)
    assert document["drift"][0]["fact"] == "os" and document["error_code"] == "drift"
    assert_consistent(run)


def test_a_difference_that_only_warns_is_stored_shown_and_in_the_chain(tenant: FleetTenant) -> None:
    looking(tenant, OnDrift.WARN, os_text="Windows NT 3.51", service_account="nobody-else")
    run = tenant.deploy("2.1.0")
    assert run.status == "SUCCEEDED", run.reason
    assert run.events.filter(kind="drift").count() == len(tenant.servers)
    facts = ServerFacts.objects.get(server=tenant.servers[0])
    assert {one["fact"] for one in facts.drift} == {"os", "owner"} and facts.adapted == {}
    entry = json.loads(Entry.objects.filter(action="step.ok", body__contains="Windows NT").earliest("pk").body)
    assert entry["facts"]["drift"][0]["then"] == "warn"
    assert_consistent(run)


def test_what_only_describes_a_host_is_taken_over_and_the_approved_commands_stay(tenant: FleetTenant) -> None:
    looking(tenant, OnDrift.ADAPT, os_text="Windows NT 3.51")
    task, plan = tenant.planned()
    commands = _commands(plan.content)
    run = tenant.deploy("2.1.0")
    assert run.status == "SUCCEEDED" and run.plan.digest == Run.objects.get().plan.digest
    found = ServerFacts.objects.get(server=tenant.servers[0]).named["os"]
    after = build_document(task, playbook_for(task))
    scan = after["hosts"][tenant.servers[0].hostname]["steps"][0]["apply"][0]
    assert scan["expects"]["named"]["os"] == found, "the next plan expects what is there"
    assert _commands(after) == commands, "and does the same as before"
    again = tenant.deploy("2.2.0")
    assert again.status == "SUCCEEDED" and not again.events.filter(kind="drift").exists()
    profile = EnvironmentProfile.objects.get(institution=tenant.institution)
    EnvironmentProfile.objects.filter(pk=profile.pk).update(revision=profile.revision + 1)
    renewed = build_document(task, playbook_for(task))
    assert "Windows NT 3.51" in json.dumps(renewed), "who writes the profile anew has the last word"


def test_what_commands_depend_on_is_not_adapted(tenant: FleetTenant) -> None:
    looking(tenant, OnDrift.ADAPT, service_account="nobody-else")
    run = tenant.deploy("2.1.0")
    assert run.status == "ROLLED_BACK" and "nobody-else" in run.reason
    assert ServerFacts.objects.get().adapted == {}


def _commands(content: Any) -> list[str]:
    steps = [step for host in content["hosts"].values() for step in host["steps"] if step["name"] != "scan"]
    return [line for step in steps for line in commands_of(step["apply"])]
