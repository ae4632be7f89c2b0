"""A fleet of five real hosts for the suites of this folder, started once for each file that asks for it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from demo.fleet import Fleet, HostSpec, with_free_ports
from tests.execution.fleet_tenant import FleetTenant, reset_hosts

HOSTS = 5


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """By OpenSSH where it is installed; GUARDIA_TEST_FLEET=asyncssh asks for the other kind."""
    network = f"127.4.{os.getpid() % 250}"
    hosts = [HostSpec(f"exec-was-{number:02}", f"{network}.{number}", 23000, 29000) for number in range(1, HOSTS + 1)]
    backend: Any = os.environ.get("GUARDIA_TEST_FLEET", "auto")
    with Fleet(tmp_path_factory.mktemp("fleet"), with_free_ports(hosts), backend=backend) as running:
        yield running


@pytest.fixture
def hosts(fleet: Fleet) -> Fleet:
    """The fleet, every service healthy and its actions.log empty."""
    reset_hosts(fleet)
    return fleet


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> FleetTenant:
    return FleetTenant(hosts)
