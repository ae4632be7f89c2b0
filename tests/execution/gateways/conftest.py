"""A core with workers here, five hosts behind a gateway in another network: started for each file that asks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts.choices import Role
from cmdb.models import Gateway
from execution.gateways import keeping
from tests.execution.fleet_tenant import FleetTenant
from tests.execution.gateways.place import (
    CoreWeb,
    FarFleet,
    GatewayHome,
    Network,
    far_fleet,
    two_networks,
    why_no_networks,
)
from tests.execution.worker import Worker, workers
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


class Field:
    """Everything of one test: the tenant, the core's web, its workers, the gateway."""

    def __init__(self, fleet: FarFleet, folder: Path, network: Network, start_worker: Callable[[], Worker]) -> None:
        self.network = network
        for spec in fleet.hosts:
            tree = fleet.tree(spec)
            tree.actions.write_text("")
        self.tenant = FleetTenant(fleet)
        self.admin = make_user(Role.ADMINISTRATOR, self.tenant.institution)
        self.web = CoreWeb(folder, network.core_address)
        self.start_worker = start_worker
        self.gateway, code = keeping.add_gateway(
            actor=self.admin,
            institution=self.tenant.institution,
            code="far",
            name="먼 센터",
            when_away="FINISH",
            away_seconds=10,
        )
        sites = [server.site_id for server in self.tenant.servers]
        keeping.set_gateway_sites(actor=self.admin, gateway_pk=self.gateway.pk, site_pks=sites)
        self.home = GatewayHome(folder / "gateway", network, self.web, self.gateway.full_code)
        self.home.start(code)
        keeping.confirm_gateway(actor=self.admin, gateway_pk=self._shown(), seen=self.home.fingerprint())

    def _shown(self) -> int:
        self.home.fingerprint()
        return self.gateway.pk

    def row(self) -> Gateway:
        return Gateway.objects.select_related("institution").get(pk=self.gateway.pk)


@pytest.fixture
def field(
    transactional_db: None, in_english: None, far: FarFleet, network: Network, tmp_path: Path, home: Path
) -> Iterator[Field]:
    network.mend()
    with workers(home) as start_worker:
        made = None
        try:
            made = Field(far, tmp_path, network, start_worker)
            yield made
        finally:
            network.mend()
            if made is not None:
                made.home.kill()
                made.web.process.kill()
