"""A small fleet for the tests of this folder, with each SSH server that works here."""

from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from fleet_tools import log_in, own_hosts

from demo.fleet import Fleet, FleetError, HostAccess
from demo.fleet.backends import choose_backend


@pytest.fixture(scope="module", params=["openssh", "asyncssh"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two running hosts."""
    try:
        choose_backend(request.param)
    except FleetError as error:
        pytest.skip(str(error))
    with Fleet(tmp_path_factory.mktemp("fleet"), own_hosts(2), backend=request.param) as running:
        yield running


@pytest.fixture
def host(fleet: Fleet) -> HostAccess:
    return fleet.inventory()[0]


@pytest.fixture
def client(host: HostAccess) -> Iterator[paramiko.SSHClient]:
    with log_in(host) as connected:
        yield connected


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home of 100% fleet"  # what a path may hold, and a careless configuration breaks on
