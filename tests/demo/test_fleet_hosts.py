"""Which hosts there are."""

import json
import socket

import pytest

from demo.fleet import PortTaken, load_hosts, many_hosts, with_free_ports
from demo.fleet.hosts import FLEET_DATA, taken_ports

DATA = json.loads(FLEET_DATA.read_text(encoding="utf-8"))


def test_the_demonstration_has_what_the_main_job_needs() -> None:
    hosts = load_hosts()

    assert len(hosts) == len({h.hostname for h in hosts}) == len({h.address for h in hosts}) == 12
    assert all(h.address.startswith("127.0.") for h in hosts)
    assert {s["redundancy_group"] for s in DATA["servers"]} == {"budget-was", "civil-was", ""}
    assert sorted(site["tier"] for site in DATA["sites"]) == [1, 2, 3]
    assert len(DATA["institutions"]) == 2


@pytest.mark.parametrize(
    ("rows", "field", "target"),
    [
        ("sites", "institution", "institutions"),
        ("systems", "institution", "institutions"),
        ("servers", "system", "systems"),
        ("servers", "site", "sites"),
    ],
)
def test_every_reference_in_the_data_has_its_row(rows: str, field: str, target: str) -> None:
    assert {row[field] for row in DATA[rows]} <= {row["code"] for row in DATA[target]}


def test_a_server_stands_at_a_site_of_its_systems_institution() -> None:
    owner = {row["code"]: row["institution"] for row in DATA["sites"] + DATA["systems"]}

    assert all(owner[server["site"]] == owner[server["system"]] for server in DATA["servers"])


def test_a_thousand_hosts_are_all_different() -> None:
    hosts = many_hosts(1000)

    assert len({h.address for h in hosts}) == len({h.hostname for h in hosts}) == 1000
    assert all(0 < int(h.address.rpartition(".")[2]) < 255 for h in hosts)


@pytest.mark.parametrize("count", [-1, 0, 1001])
def test_an_impossible_count_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 1000"):
        many_hosts(count)


def test_hosts_move_together_off_a_taken_port() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        first, second = many_hosts(2)
        blocked = type(first)(first.hostname, "127.0.0.1", port, 28100)

        assert taken_ports([blocked]) == [("127.0.0.1", port)]
        moved = with_free_ports([blocked, second])
        with pytest.raises(PortTaken):
            with_free_ports([blocked], tries=1)

    assert moved[0].ssh_port > port
    assert moved[0].ssh_port - port == moved[1].ssh_port - second.ssh_port == moved[0].http_port - 28100
