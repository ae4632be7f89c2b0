"""A core with workers here, hosts behind a gateway in another network: the fleet is started once for each file."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from accounts.choices import Role
from cmdb.models import Gateway
from execution.gateways import keeping
from execution.models import Run
from tests.execution.fleet_tenant import FleetTenant
from tests.execution.gateways.place import (
    CoreWeb,
    FarFleet,
    GatewayHome,
    Network,
    far_fleet,
    set_up_anew,
    two_networks,
    why_no_networks,
)
from tests.execution.worker import Worker, until, workers
from tests.factories import make_user


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if reason := why_no_networks():
        pytest.skip(reason)
    with two_networks(1) as network:
        yield network


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Iterator[FarFleet]:
    with far_fleet(tmp_path_factory.mktemp("far"), network, 4) as running:
        yield running


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Path:
    """A gateway's home with the schema in it and nothing else; it is copied for each test."""
    home = GatewayHome(tmp_path_factory.mktemp("empty") / "gateway", network)
    made = home.manage("migrate", "-v", "0")
    assert made.returncode == 0, made.stderr
    stop = [sys.executable, "-m", "guardia.embedded", "stop", str(home.folder)]
    subprocess.run(stop, cwd=settings.BASE_DIR, check=True, capture_output=True, timeout=60)
    shutil.rmtree(home.folder / "keys" / "gateway", ignore_errors=True)
    return home.folder


class Field:
    """Everything of one test: the tenant, the core's web, its workers, the gateway."""

    def __init__(self, fleet: FarFleet, network: Network, start_worker: Callable[[], Worker]) -> None:
        self.network, self.start_worker = network, start_worker
        set_up_anew(fleet, network)
        self.tenant = FleetTenant(fleet)
        self.admin = make_user(Role.ADMINISTRATOR, self.tenant.institution)

    def open(self, folder: Path, empty_home: Path, policy: dict[str, object]) -> None:
        self.web = CoreWeb(folder, self.network.core_address)
        self.gateway, code = keeping.add_gateway(
            actor=self.admin, institution=self.tenant.institution, code="far", name="먼 센터", **policy
        )
        sites = [server.site_id for server in self.tenant.servers]
        keeping.set_gateway_sites(actor=self.admin, gateway_pk=self.gateway.pk, site_pks=sites)
        subprocess.run(["cp", "-a", str(empty_home), str(folder / "gateway")], check=True)  # owners kept
        self.home = GatewayHome(folder / "gateway", self.network, self.web, self.gateway.full_code)
        self.home.start(code)
        seen = self.home.fingerprint()
        keeping.confirm_gateway(actor=self.admin, gateway_pk=self.gateway.pk, seen=seen)

    def close(self) -> None:
        self.network.mend()
        if hasattr(self, "home"):
            self.home.kill()
        if hasattr(self, "web"):
            self.web.process.kill()

    def row(self) -> Gateway:
        return Gateway.objects.select_related("institution").get(pk=self.gateway.pk)

    def finished(self, seconds: float = 120) -> Run:
        until(lambda: Run.objects.filter(finished_at__isnull=False).exists(), seconds, pause=0.2)
        return Run.objects.get()


@pytest.fixture
def policy() -> dict[str, object]:
    return {"when_away": "FINISH", "away_seconds": 10}


@pytest.fixture
def field(
    transactional_db: None,
    in_english: None,
    far: FarFleet,
    network: Network,
    empty_home: Path,
    policy: dict[str, object],
    tmp_path: Path,
    home: Path,
) -> Iterator[Field]:
    network.mend()
    with workers(home) as start_worker:
        field = Field(far, network, start_worker)
        try:
            field.open(tmp_path, empty_home, policy)
            yield field
        finally:
            field.close()
