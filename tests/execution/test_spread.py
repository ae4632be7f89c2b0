"""A run over workers on several machines: two network namespaces, one PostgreSQL reached over the network, and one of
the machines is lost in the middle."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from demo.fleet import Fleet, HostSpec, with_free_ports
from execution.models import HostRun, Run
from tests.execution.fleet_tenant import FleetTenant, actions, assert_consistent, statuses
from tests.execution.gateways.place import Network, set_up_anew, two_networks, why_no_networks
from tests.execution.worker import Worker, until

pytestmark = pytest.mark.slow
HOSTS, AT_ONCE = 12, 2
#: Of a worker that has started: its own, and those of the processes of its cluster.
_CONNECTIONS = 3
#: docs/operations.md: what a machine that is cut off has begun in the database is given up by then.
_IMPATIENT = quote("-c idle_in_transaction_session_timeout=3000")


class DatabaseDoor:
    """PostgreSQL's socket, on an address that another network reaches."""

    def __init__(self, address: str) -> None:
        self.address, self.accepted = address, 0
        self._door = socket.create_server((address, 0))
        self.port = self._door.getsockname()[1]
        threading.Thread(target=self._open, daemon=True).start()

    def url(self) -> str:
        values = {key: quote(str(value), safe="") for key, value in connection.get_connection_params().items()}
        return f"postgres://{values['user']}:{values['password']}@{self.address}:{self.port}/{values['dbname']}?options={_IMPATIENT}"

    def close(self) -> None:
        self._door.close()

    def _open(self) -> None:
        values = connection.get_connection_params()
        socket_path = f"{values['host']}/.s.PGSQL.{values.get('port') or 5432}"
        while True:
            try:
                near, _peer = self._door.accept()
            except OSError:
                return
            self.accepted += 1
            far = socket.socket(socket.AF_UNIX)
            far.connect(socket_path)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65536):
            other.sendall(data)
    except OSError:
        pass  # the other end has gone
    finally:
        for line in (one, other):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)  # whoever waits at it hears of it
            line.close()


@pytest.fixture(scope="module")
def machines() -> Iterator[list[Network]]:
    if reason := why_no_networks():
        pytest.skip(reason)
    with two_networks(2) as one, two_networks(3) as other:
        for network in (one, other):
            network.reach_all()
        yield [one, other]


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory, machines: list[Network]) -> Iterator[Fleet]:
    """Hosts that both machines reach."""
    address = machines[0].core_address
    specs = [HostSpec(f"spread-was-{n:02}", address, 25000 + 10 * n, 27000 + 10 * n) for n in range(1, HOSTS + 1)]
    with Fleet(tmp_path_factory.mktemp("spread"), with_free_ports(specs), backend="openssh") as running:
        yield running


@pytest.fixture
def doors(transactional_db: None, machines: list[Network]) -> Iterator[list[DatabaseDoor]]:
    doors = [DatabaseDoor(network.core_address) for network in machines]
    yield doors
    for door in doors:
        door.close()


@pytest.mark.parametrize("lost", ["nobody", "killed", "cut off"])
def test_a_run_spreads_over_machines_and_survives_the_loss_of_one(
    doors: list[DatabaseDoor], machines: list[Network], near: Fleet, home: Path, in_english: None, lost: str
) -> None:
    set_up_anew(near)
    tenant = FleetTenant(near, group="")
    started = [
        Worker(home / f"machine{at}.log", at_once=AT_ONCE, inside=network.inside, url=door.url(), processes=1)
        for at, (network, door) in enumerate(zip(machines, doors, strict=True))
    ]
    try:
        until(lambda: all(door.accepted >= _CONNECTIONS for door in doors), 120, pause=0.2)
        time.sleep(2)  # both wait for bells now
        tenant.wait_for_start("2.1.0")
        held = HostRun.objects.exclude(claim="").values("claim").distinct()
        until(lambda: held.count() >= 2, 120, pause=0.02)  # hosts of one wave, by two workers
        if lost == "killed":
            started[0].kill()
        elif lost == "cut off":
            machines[0].cut()
        until(lambda: Run.objects.filter(finished_at__isnull=False).exists(), 180, pause=0.2)
    finally:
        machines[0].mend()
        for worker in started:
            worker.kill()
    run = Run.objects.get()
    assert_consistent(run)
    assert run.status in (("SUCCEEDED",) if lost == "nobody" else ("SUCCEEDED", "MANUAL")), (run.reason, statuses(run))
    for name in tenant.hosts:
        did = actions(tenant, name)
        assert did.count("startup") <= 2 and "startup-refused" not in did, (name, did)
    if run.status == "SUCCEEDED":
        assert {tuple(actions(tenant, name)) for name in tenant.hosts} == {("shutdown", "startup")}
