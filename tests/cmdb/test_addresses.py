"""Where the inventory may lead the workers: not to metadata services, not to what hides another address."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ValidationError

from accounts.choices import Role
from cmdb.addresses import is_allowed_address
from cmdb.models import Server
from tests.doors import browser
from tests.factories import Tenant, make_user

EVERYWHERE = ["10.1.2.3", "172.16.0.9", "192.168.0.1", "203.0.113.7", "8.8.8.8", "fd12:3456::1", "2a00:1450::1"]
LOOPBACK = ["127.0.0.1", "127.0.11.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1"]
NEVER = [
    *("169.254.169.254", "169.254.170.2", "169.254.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe"),
    *("fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"),
    *("0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
    *("2001:0:7f00:1::1", "2001::a9fe:a9fe"),
]
#: What resolvers and C libraries take for an address, and we don't.
DISGUISED = [
    *("2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "010.0.0.1", "2852039166", "0xa9fea9fe"),
    *("localhost", "localhost.", "127.0.0.1.", "10.0.0.1.", "metadata.google.internal", "127.0.0.1.nip.io", ""),
    *(" 10.0.0.1", "10.0.0.1 ", "10.0.0.1\n", "10.0.0.1:22", "[::1]", "[10.0.0.1]", "10.0.0.1/32", "10.0.0.1#"),
    *("user@10.0.0.1", "10.0.0.1@169.254.169.254", "http://10.0.0.1", "10.0.0.1%00", "１０.０.０.１", "10。0。0。1"),
]


@pytest.mark.parametrize("address", [*EVERYWHERE, *LOOPBACK])
def test_ordinary_addresses_are_allowed_where_no_network_is_named(address: str) -> None:
    assert is_allowed_address(address)


@pytest.mark.parametrize("address", [*NEVER, *DISGUISED])
def test_no_server_has_these(address: str) -> None:
    assert not is_allowed_address(address)


def test_named_networks_are_all_there_is(settings: Any) -> None:
    settings.GUARDIA_SERVER_NETWORKS = ["10.1.0.0/16", "fd12::/16", "169.254.7.0/24"]
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd12:3456::1", "169.254.7.7"):
        assert is_allowed_address(address), address
    for address in ("10.2.0.1", "127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "8.8.8.8", "2002:a01:203::"):
        assert not is_allowed_address(address), address
    for address in DISGUISED:
        assert not is_allowed_address(address), address


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "everywhere", "10.0.0.0/33", "10.0.0.0-10.0.0.9"])
def test_a_network_that_is_none_stops_the_start(wrong: str, settings: Any) -> None:
    settings.GUARDIA_SERVER_NETWORKS = [wrong]
    assert "guardia.E012" in [found.id for found in run_checks()]


def test_an_installation_is_warned_that_names_none(settings: Any) -> None:
    def warned() -> bool:
        return "guardia.W001" in [found.id for found in run_checks(include_deployment_checks=True)]

    assert not warned()
    settings.GUARDIA_EMBEDDED = False
    assert warned()
    settings.GUARDIA_SERVER_NETWORKS = ["10.0.0.0/8"]
    assert not warned()


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254", "0.0.0.0", "fe80::1"])
def test_the_inventory_takes_none_of_them(address: str) -> None:
    server = Tenant(servers=1).servers[0]
    server.address = address
    with pytest.raises(ValidationError) as refused:
        server.full_clean()
    assert "address" in refused.value.message_dict
    client = browser(make_user(Role.OPERATOR))
    page = f"/admin/cmdb/server/{server.pk}/change/"
    form = {
        name: value for name, value in client.get(page).context["adminform"].form.initial.items() if value is not None
    }
    form |= {"address": address, "aliases": "", "host_keys": "\n".join(server.host_keys)}
    answer = client.post(page, form)
    assert answer.status_code == 200 and "GUARDIA_SERVER_NETWORKS" in answer.content.decode()
    assert Server.objects.get(pk=server.pk).address == "127.0.0.1"
