"""A rolling deploy on real Tomcats behind a real HAProxy, by a real worker over real SSH, under load: no request fails,
neither when it succeeds nor when it is rolled back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Balancer
from execution.models import Run
from execution.plan.render import commands_of
from tests.execution.fleet_tenant import FleetTenant, assert_consistent, own_fleet, statuses
from tests.execution.tomcats import MISSING, Load, Site, war
from tests.execution.worker import until, workers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]
_PATHS = {
    "startup_script": "tomcat/bin/startup.sh",
    "shutdown_script": "tomcat/bin/shutdown.sh",
    "pid_file": "tomcat/run/tomcat.pid",
    "log_file": "tomcat/logs/catalina.out",
    "artefact_path": "tomcat/webapps/ROOT.war",
    "backup_dir": "tomcat/backup",
    "incoming_dir": "incoming",
    "stop_seconds": 20,
    "start_seconds": 30,
}


class Pair(FleetTenant):
    """A tenant whose servers are the two Tomcats, and whose profile names HAProxy on its own host."""

    def __init__(self, fleet: Any, site: Site, **balancer: Any) -> None:
        super().__init__(fleet, count=2)
        self.site = site
        for server, node in zip(self.servers, site.nodes, strict=True):
            server.http_port = node.port
            server.save()
        for name, value in _PATHS.items():
            setattr(self.profile, name, value)
        self.profile.save()
        hosts = {host.hostname: host for host in fleet.inventory()}
        proxy = self._register(hosts[site.balancer.spec.hostname], "")
        values = {
            "server": proxy, "control": str(site.socket), "backend": "was", "member": "{hostname}", "seconds": 20,
            **balancer,
        }  # fmt: skip
        row = Balancer(profile=self.profile, name="L7", kind="haproxy", **values)
        row.full_clean()
        row.save()

    def roll(self, content: bytes, home: Path) -> Run:
        task, plan = self.approved(content=content)
        lines = _commands(plan.content)
        assert any("show stat" in line for line in lines) == Balancer.objects.filter(is_active=True).exists()
        with workers(home) as start, Load(self.site) as load:
            start()
            until(lambda: Run.objects.filter(task=task).exclude(finished_at=None).exists(), 180, pause=0.2)
        assert load.failed == [], (load.failed[:5], load.done)
        assert sum(load.done.values()) > 200, load.done
        self.load = load
        run = Run.objects.get(task=task)
        assert_consistent(run)
        return run


def _commands(content: Any) -> list[str]:
    return [line for host in content["hosts"].values() for step in host["steps"] for line in commands_of(step["apply"])]


@pytest.fixture
def pair(transactional_db: None, in_english: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with own_fleet(tmp_path_factory.mktemp("f"), "auto", count=3) as fleet:
        site = Site(fleet)
        try:
            yield Pair(fleet, site)
        finally:
            site.close()


def test_the_nodes_take_themselves_out_over_the_network(pair: Pair, home: Path) -> None:
    """Where nobody may log in at the balancer, its runtime API on TCP does."""
    Balancer.objects.update(server=None, control=f"{pair.site.address}:{pair.site.admin_port}")
    run = pair.roll(war("2.0.0"), home)
    assert run.status == "SUCCEEDED", (run.reason, statuses(run))
    assert [pair.site.state(node) for node in pair.site.nodes] == ["UP", "UP"]


def test_without_a_balancer_in_the_profile_requests_fail(pair: Pair, home: Path) -> None:
    """What the other tests measure can be seen at all."""
    Balancer.objects.update(is_active=False)
    with pytest.raises(AssertionError, match=r"ConnectionError|503|502|RemoteDisconnected|IncompleteRead|bytes"):
        pair.roll(war("2.0.0"), home)


def test_no_request_fails_during_a_rolling_deploy_nor_during_its_rollback(pair: Pair, home: Path) -> None:
    run = pair.roll(war("2.0.0"), home)
    assert run.status == "SUCCEEDED", (run.reason, statuses(run))
    assert [node.version() for node in pair.site.nodes] == ["2.0.0", "2.0.0"]
    assert pair.load.done["1.0.0"] and pair.load.done["2.0.0"]
    assert [pair.site.state(node) for node in pair.site.nodes] == ["UP", "UP"]

    run = pair.roll(war("3.0.0", is_healthy=False), home)
    assert run.status == "ROLLED_BACK", (run.reason, statuses(run))
    assert sorted(statuses(run).values()) == ["UNDONE", "UNTOUCHED"]
    assert [node.version() for node in pair.site.nodes] == ["2.0.0", "2.0.0"]
    assert not pair.load.done["3.0.0"], "no visitor saw the broken version"
    assert [pair.site.state(node) for node in pair.site.nodes] == ["UP", "UP"]
