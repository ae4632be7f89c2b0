"""Which hosts there are: the twelve of the demonstration, or as many as a benchmark wants."""

import json
import socket
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from demo.fleet.errors import PortTaken

FLEET_DATA = Path(__file__).resolve().parents[1] / "data" / "fleet.json"
SSH_PORT, HTTP_PORT = 2222, 8080
MAX_HOSTS = 1000


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A host's name and where it listens; `address` is in 127.0.0.0/8."""

    hostname: str
    address: str
    ssh_port: int = SSH_PORT
    http_port: int = HTTP_PORT
    has_service: bool = True


def load_hosts(source: Path = FLEET_DATA) -> list[HostSpec]:
    """The hosts of the demonstration, in the order of the file."""
    servers = json.loads(source.read_text(encoding="utf-8"))["servers"]
    return [HostSpec(s["hostname"], s["ip"], s["ssh_port"], s["http_port"]) for s in servers]


def many_hosts(count: int) -> list[HostSpec]:
    """`count` (1 to 1,000) hosts on 127.1.x.y for benchmarks."""
    if not 1 <= count <= MAX_HOSTS:
        raise ValueError(f"count must be between 1 and {MAX_HOSTS}, not {count}")
    return [HostSpec(f"bench-was-{n + 1:04}", f"127.1.{n // 250}.{n % 250 + 1}") for n in range(count)]


def with_free_ports(hosts: Sequence[HostSpec], tries: int = 200) -> list[HostSpec]:
    """The same hosts, all moved to the first SSH and HTTP port at or above their own that is free on every address.

    Two checkouts run side by side that way. Nothing is reserved: bind soon.
    """
    for step in range(tries):
        moved = [replace(h, ssh_port=h.ssh_port + step, http_port=h.http_port + step) for h in hosts]
        if not taken_ports(moved):
            return moved
    raise PortTaken(f"no free pair of ports in {tries} tries above those of {hosts[0].hostname}")


def taken_ports(hosts: Iterable[HostSpec]) -> list[tuple[str, int]]:
    """The (address, port) pairs of `hosts` that can't be bound."""
    wanted = [(host.address, port) for host in hosts for port in (host.ssh_port, host.http_port)]
    return [place for place in wanted if not _is_free(place)]


def write_hosts(path: Path, hosts: Sequence[HostSpec]) -> None:
    """Store `hosts` as JSON for the runner process."""
    path.write_text(json.dumps([asdict(host) for host in hosts], indent=1), encoding="utf-8")


def read_hosts(path: Path) -> list[HostSpec]:
    """What `write_hosts` stored."""
    return [HostSpec(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def _is_free(place: tuple[str, int]) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError:
            return False
    return True
