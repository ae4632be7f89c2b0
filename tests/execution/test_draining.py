"""Where a profile names a balancer, a host is out of use there while its service is away, on every way a run may go."""

import stat
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Balancer, Credential, Server
from cmdb.vault import seal
from demo.fleet import Fleet
from execution.exceptions import PlanRefused
from execution.models import HostLock, Run
from execution.plan.build import build_document, playbook_for
from execution.plan.compare import differences
from execution.plan.render import commands_of
from execution.rollout.hosts import hold_hosts_free
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, host_run, statuses, waves
from tests.queue import run_queue

#: A balancer's host with a command of its own: one file per member that is out, and a log that the services write too.
_PROGRAM = """\
#!/bin/sh
cd "$(dirname "$0")" || exit 9
[ ! -e broken-"$1" ] || exit 7
case $1 in
out) : >"out-$2" ;;
in) rm -f "out-$2" ;;
is_out) [ -e "out-$2" ]; exit ;;
is_in) [ ! -e "out-$2" ]; exit ;;
esac
echo "$1 $2" >>log
"""


class Balanced(FleetTenant):
    """Four hosts behind a balancer whose host is the fifth."""

    def __init__(self, fleet: Fleet, where: Path) -> None:
        super().__init__(fleet, count=4)
        access = fleet.inventory()[4]
        self.host = self._register(access, "")
        self.program = where / "lb"
        self.program.write_text(_PROGRAM)
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)
        commands = {"drain": "out", "undrain": "in", "drained": "is_out", "used": "is_in"}
        self.row = Balancer.objects.create(
            profile=self.profile,
            name="L4",
            kind="hook",
            server=self.host,
            seconds=5,
            **{f"{name}_command": f"{self.program} {word} {{hostname}}" for name, word in commands.items()},
        )
        self.row.full_clean()
        for tree in (self.tree(server.hostname) for server in self.servers):
            for script in (tree.startup, tree.shutdown):  # each says in the balancer's log when it ran
                lines = script.read_text().splitlines(keepends=True)
                told = f'echo "{script.stem} {tree.spec.hostname}" >>"{where}/log"\n'
                script.write_text("".join([lines[0], told, *lines[1:]]))

    def log(self, hostname: str) -> list[str]:
        log = self.program.parent / "log"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [word for word, name in lines if name == hostname]

    def is_out(self, hostname: str) -> bool:
        return (self.program.parent / f"out-{hostname}").exists()

    def breaks(self, word: str) -> None:
        (self.program.parent / f"broken-{word}").touch()


@pytest.fixture
def balanced(transactional_db: None, hosts: Fleet, in_english: None, tmp_path: Path) -> Any:
    saved = {script: script.read_text() for spec in hosts.hosts for script in _scripts(hosts, spec)}
    yield Balanced(hosts, tmp_path)
    for script, text in saved.items():
        script.write_text(text)


def _scripts(fleet: Fleet, spec: Any) -> tuple[Path, Path]:
    tree = fleet.tree(spec)
    return tree.startup, tree.shutdown


def test_a_host_is_out_while_its_service_is_away(balanced: Balanced) -> None:
    run = balanced.deploy("2.1.0")
    assert set(statuses(run).values()) == {"DONE"}, run.reason
    for server in balanced.servers:
        assert balanced.log(server.hostname) == ["out", "shutdown", "startup", "in"]
    host = run.plan.content["hosts"][balanced.servers[0].hostname]
    assert host["check"]["verdict"] == "allow", "the profile itself names the command"
    assert list(host["balancers"]) == [balanced.host.hostname]
    shown = [line for step in host["steps"] for line in commands_of(step["apply"])]
    assert f"{balanced.host.hostname}: {balanced.program} out {balanced.servers[0].hostname}" in shown
    assert all(not host["left_out"] for host in run.result.document["hosts"])
    assert_consistent(run)


def test_a_host_that_is_rolled_back_is_seen_to_be_well_before_it_is_put_back(balanced: Balanced) -> None:
    run = balanced.deploy("2.2.0", broken=True)
    canary = waves(run)[0][0]
    assert run.status == "ROLLED_BACK"
    assert balanced.log(canary) == ["out", "shutdown", "startup", "shutdown", "startup", "in"]
    undone = [step.name for step in host_run(run, canary).steps.filter(phase="UNDO").order_by("pk")]
    assert undone[-2:] == ["health_after_rollback", "drain"]
    assert_consistent(run)


def test_a_host_that_is_not_well_after_the_rollback_stays_out_and_is_named(balanced: Balanced) -> None:
    for server in balanced.servers:
        tree = balanced.tree(server.hostname)
        lines = tree.startup.read_text().splitlines(keepends=True)  # it comes up once more, and never again
        guard = f'[ ! -e "{tree.root}/twice" ] || exit 1\n[ ! -e "{tree.root}/once" ] || : >"{tree.root}/twice"\n'
        tree.startup.write_text("".join([lines[0], f'{guard}: >"{tree.root}/once"\n', *lines[1:]]))
        for name in ("once", "twice"):
            (tree.root / name).unlink(missing_ok=True)
        (tree.root / "once").touch()
    run = balanced.deploy("2.2.0", broken=True)
    canary = waves(run)[0][0]
    assert (run.status, statuses(run)[canary]) == ("MANUAL", "UNDO_FAILED")
    assert balanced.is_out(canary) and "in" not in balanced.log(canary)
    assert f"Still taken out at {balanced.host.hostname}." in host_run(run, canary).error
    document = {host["hostname"]: host["left_out"] for host in run.result.document["hosts"]}
    assert document[canary] == [balanced.host.hostname]
    assert_consistent(run)


def test_a_balancer_that_refuses_stops_the_run_before_anything_is_stopped(balanced: Balanced) -> None:
    balanced.breaks("out")
    run = balanced.deploy("2.1.0")
    canary = waves(run)[0][0]
    assert (run.status, statuses(run)[canary]) == ("ROLLED_BACK", "UNDONE"), run.reason
    assert "shutdown" not in balanced.log(canary) and not balanced.is_out(canary)


def test_a_balancers_host_that_cannot_be_logged_in_to_stops_it_too(balanced: Balanced) -> None:
    Server.objects.filter(pk=balanced.host.pk).update(ssh_port=1)
    run = balanced.deploy("2.1.0")
    assert run.status in ("ROLLED_BACK", "MANUAL")
    assert all("shutdown" not in balanced.log(server.hostname) for server in balanced.servers)


def test_the_gate_looks_at_the_balancers_credential_too(balanced: Balanced) -> None:
    task, plan = balanced.wait_for_start("2.1.0")
    content = plan.content
    assert (
        content["hosts"][balanced.servers[0].hostname]["balancers"][balanced.host.hostname]["credential_revision"] == 1
    )
    credential = Credential.objects.get(pk=balanced.host.credential_id)
    credential.revision = 2
    seal(credential, "another")
    credential.save()
    run_queue()
    task.refresh_from_db(fields=["reason"])
    assert not Run.objects.exists(), "another credential is another plan, which is approved anew"


def test_a_run_waits_for_work_on_the_balancers_host_and_that_work_for_the_run(balanced: Balanced) -> None:
    task, _plan = balanced.wait_for_start("2.1.0")
    run = Run.objects.create(task=task, plan=_plan)
    lock = HostLock.objects.create(server=balanced.host, run=run)
    assert not hold_in_transaction(task)
    lock.delete()
    assert hold_in_transaction(task)
    HostLock.objects.create(server=balanced.servers[0], run=run)
    task.servers.set([balanced.host])
    Server.objects.filter(pk=balanced.host.pk).update(profile=balanced.servers[0].profile)
    assert not hold_in_transaction(task)


def hold_in_transaction(task: Any) -> bool:
    from django.db import transaction

    with transaction.atomic():
        return hold_hosts_free(task)


def test_without_a_balancer_nothing_is_drained_and_the_plan_does_not_speak_of_it(balanced: Balanced) -> None:
    task, _plan = balanced.planned()
    before = build_document(task, playbook_for(task))
    Balancer.objects.update(is_active=False)
    after = build_document(task, playbook_for(task))
    hostname = balanced.servers[0].hostname
    names = [step["name"] for step in after["hosts"][hostname]["steps"]]
    assert "drain" not in names and "balancers" not in after["hosts"][hostname]
    told = next(change for change in differences(before, after) if change.hostname == hostname)
    assert any(difference.label == "balancers' hosts" for difference in told.differences)


@pytest.mark.parametrize("spoil", ["hostname", "inactive", "credential"])
def test_a_balancer_that_cannot_be_used_refuses_the_plan(balanced: Balanced, spoil: str) -> None:
    task, _plan = balanced.planned()
    if spoil == "hostname":
        Server.objects.filter(pk=balanced.servers[0].pk).update(hostname="was 1; reboot")
    elif spoil == "inactive":
        Server.objects.filter(pk=balanced.host.pk).update(is_active=False)
    else:
        Server.objects.filter(pk=balanced.host.pk).update(credential=None)
    with pytest.raises(PlanRefused) as refusal:
        build_document(task, playbook_for(task))
    assert refusal.value.code == "no_balancer"
