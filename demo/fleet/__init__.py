"""The loopback fleet: real SSH servers and services on 127.0.0.0/8 that stand for the institutions' servers.

::

    with Fleet(home, with_free_ports(load_hosts())) as fleet:
        for host in fleet.inventory():
            ...

`python -m demo.fleet run --home DIR` does the same in the foreground. Hostile peers for tests are in
`demo.fleet.hostile`.
"""

from demo.fleet.errors import FleetError, PortTaken
from demo.fleet.fleet import Fleet
from demo.fleet.hosts import HostSpec, load_hosts, many_hosts, with_free_ports
from demo.fleet.inventory import HostAccess

__all__ = ["Fleet", "FleetError", "HostAccess", "HostSpec", "PortTaken", "load_hosts", "many_hosts", "with_free_ports"]
