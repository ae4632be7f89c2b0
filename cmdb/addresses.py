"""To which addresses the inventory may lead us: whoever writes it must not make the core talk to something else.

`GUARDIA_SERVER_NETWORKS` names the networks of the servers. Where none is named, any address will do but those that no
server has: link-local ones and the metadata services of clouds, multicast, broadcast and reserved ones, and those in
which a tunnel or translator hides another one.
"""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

#: Metadata services and agents of clouds outside the link-local networks.
_METADATA = ("100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128")
#: Teredo, 6to4, local NAT64; the well-known NAT64 prefix is among the reserved ones.
_WRAPPED = ("2001::/32", "2002::/16", "64:ff9b:1::/48")


@lru_cache(maxsize=8)
def networks_of(cidrs: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks as values. Raises ValueError."""
    return tuple(ip_network(cidr) for cidr in cidrs)


_NEVER = networks_of(("0.0.0.0/8", *_METADATA, *_WRAPPED))


def is_allowed_address(text: str) -> bool:
    """Whether a server may have this address; a name, or a number in disguise, never."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # the system connects to it by IPv4
    named = networks_of(tuple(settings.GUARDIA_SERVER_NETWORKS))
    if named:
        return any(address in network for network in named)
    if address.is_loopback:
        return True
    is_special = address.is_link_local or address.is_multicast or address.is_reserved or address.is_unspecified
    return not is_special and not any(address in network for network in _NEVER)
