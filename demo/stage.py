"""The fleet of this GUARDIA_HOME: its ports are chosen once, so that the CMDB stays right over restarts."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from demo.fleet import Fleet, load_hosts, with_free_ports
from demo.fleet.hosts import read_hosts, taken_ports, write_hosts
from demo.fleet.processes import end_leftovers


@contextmanager
def fleet_on_stage() -> Iterator[Fleet]:
    """The started fleet; it ends with the block, or with this process."""
    home = settings.GUARDIA_HOME / "fleet"
    home.mkdir(parents=True, exist_ok=True)
    chosen = home / "ports.json"
    end_leftovers(home)
    hosts = read_hosts(chosen) if chosen.exists() else load_hosts()
    if taken_ports(hosts):
        hosts = with_free_ports(hosts)
    write_hosts(chosen, hosts)
    with Fleet(home, hosts) as fleet:
        yield fleet
