"""An institution whose servers are hosts of a real loopback fleet, and what the suites ask of both."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import httpx

from audit.verifying.all_chains import verify_all
from cmdb.models import Server
from demo.artefacts import build_artefact
from demo.fleet import Fleet, HostAccess, HostSpec, with_free_ports
from demo.fleet.tree import HostTree
from demo.hosts import HostState, state_of
from demo.seed import PATHS
from execution.models import HostLock, HostRun, Plan, Run, RunEvent
from execution.selectors import host_runs_of, latest_run
from tests.factories import Tenant, make_credential, make_server
from tests.queue import run_queue
from tickets.models import OpsTask


class FleetTenant(Tenant):
    """A tenant on all hosts of the fleet, with pinned keys, credentials in the vault and short patience."""

    def __init__(self, fleet: Fleet, count: int = 0, group: str = "was") -> None:
        super().__init__(servers=0)
        self.fleet = fleet
        self.hosts = {host.hostname: host for host in fleet.inventory()[: count or None]}
        self.servers = [self._register(host, group) for host in self.hosts.values()]
        self.profile = self.servers[0].profile
        for name, value in {**PATHS, "stop_seconds": 4, "start_seconds": 15}.items():
            setattr(self.profile, name, value)
        self.profile.save()

    def _register(self, host: HostAccess, group: str) -> Server:
        credential = make_credential(
            self.institution,
            host.credential_secret,
            kind=host.credential_kind,
            username=host.username,
            name=host.hostname,
        )
        return make_server(
            self.system,
            hostname=host.hostname,
            address=host.address,
            ssh_port=host.port,
            http_port=host.http_port,
            home_dir=str(Path(host.app_home).parent),
            host_keys=[host.host_key],
            credential=credential,
            redundancy_group=group,
        )

    def wait_for_start(self, version: str, *, broken: bool = False) -> tuple[OpsTask, Plan]:
        """A deployment that everybody has approved; the queue holds its start."""
        return self.approved(content=artefact(version, broken=broken))

    def deploy(self, version: str, *, broken: bool = False) -> Run:
        """A deployment from the request to the end of its run, all through the queue."""
        task, _plan = self.wait_for_start(version, broken=broken)
        run_queue()
        run = latest_run(task)
        assert run is not None, OpsTask.objects.get(pk=task.pk).reason
        return Run.objects.get(pk=run.pk)

    def states(self) -> dict[str, HostState]:
        return {name: state_of(host) for name, host in self.hosts.items()}

    def tree(self, hostname: str) -> HostTree:
        return self.fleet.tree(next(spec for spec in self.fleet.hosts if spec.hostname == hostname))


def own_fleet(home: Path, backend: Any, count: int = 5) -> Fleet:
    """A fleet on addresses of this process and free ports, not started yet."""
    network = f"127.4.{os.getpid() % 250}"
    specs = [HostSpec(f"exec-was-{number:02}", f"{network}.{number}", 23000, 29000) for number in range(1, count + 1)]
    return Fleet(home, with_free_ports(specs), backend=backend)


def artefact(version: str, *, broken: bool = False) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return build_artefact(Path(folder) / "app.war", version, broken=broken, size=64 * 1024).read_bytes()


def statuses(run: Run) -> dict[str, str]:
    return {host.server.hostname: host.status for host in host_runs_of(run)}


def waves(run: Run) -> list[list[str]]:
    return [list(wave) for wave in run.plan.content["waves"]]


def host_run(run: Run, hostname: str) -> HostRun:
    return HostRun.objects.select_related("server", "wave").get(wave__run=run, server__hostname=hostname)


def assert_consistent(run: Run) -> None:
    """What must hold after every run, however it went: an end, no locks, gapless events, chains that verify."""
    run = Run.objects.get(pk=run.pk)
    assert not run.is_living, run.status
    assert run.finished_at is not None
    assert not HostLock.objects.filter(run=run).exists()
    assert not set(statuses(run).values()) & {"PENDING", "RUNNING", "UNDO_PENDING", "UNDOING"}
    numbers = list(RunEvent.objects.filter(run=run).order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(report.is_intact for report in verify_all()), verify_all()
    assert run.result.document["status"] == run.status


def actions(tenant: FleetTenant, hostname: str) -> list[str]:
    """What was done to the host's service since the test began: the words of its actions.log."""
    log = tenant.tree(hostname).actions
    return [line.split()[1] for line in log.read_text().splitlines()] if log.exists() else []


def reset_hosts(fleet: Fleet) -> None:
    """Bring every host back to a healthy service, whatever a test did to it; its logs begin anew."""
    for spec in fleet.hosts:
        tree = fleet.tree(spec)
        tree.root.joinpath("incoming").chmod(0o755)
        for script in (tree.startup, tree.shutdown):
            script.chmod(0o755)
        for folder in (tree.app / "backup", tree.root / "incoming"):
            for leftover in folder.iterdir():
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        if not tree.artefact.exists() or state_is_bad(fleet, spec.hostname):
            subprocess.run([str(tree.shutdown)], capture_output=True, timeout=30)
            build_artefact(tree.artefact, "2.0.0")
            subprocess.run([str(tree.startup)], capture_output=True, timeout=30, check=True)
        tree.actions.write_text("")


def state_is_bad(fleet: Fleet, hostname: str) -> bool:
    host = next(host for host in fleet.inventory() if host.hostname == hostname)
    try:
        return state_of(host).status != 200
    except httpx.HTTPError:
        return True
