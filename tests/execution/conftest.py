"""A fleet of five real hosts for the suites of this folder, started once for each file that asks for it."""

import os
from collections.abc import Iterator

import pytest

from demo.fleet import Fleet
from tests.execution.fleet_tenant import FleetTenant, own_fleet, reset_hosts


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """By OpenSSH where it is installed; GUARDIA_TEST_FLEET=asyncssh asks for the other kind."""
    with own_fleet(tmp_path_factory.mktemp("fleet"), os.environ.get("GUARDIA_TEST_FLEET", "auto")) as running:
        yield running


@pytest.fixture
def hosts(fleet: Fleet) -> Fleet:
    """The fleet, every service healthy and its actions.log empty."""
    reset_hosts(fleet)
    return fleet


@pytest.fixture
def tenant(transactional_db: None, hosts: Fleet, in_english: None) -> FleetTenant:
    return FleetTenant(hosts)
