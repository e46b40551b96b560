"""Tells addresses of the public Internet from all others, as the IANA registries have them.

The standard library's `is_global` follows the registries of its own release: Python 3.11 takes
192.0.0.192, the metadata service of a cloud, for a public address.
"""

from __future__ import annotations

import ipaddress

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments, RFC 6890
            "192.88.99.0/24",  # 6to4 relays, RFC 7526: out of use
            "64:ff9b:1::/48",  # local-use translation, RFC 8215
            "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
            "3fff::/20",  # documentation, RFC 9637
            "5f00::/16",  # segment routing, RFC 9602
            "fec0::/10",  # site-local, RFC 3879: out of use
        ),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""RFC 6052: the last four bytes are an IPv4 address, which may be a private one."""
_COMPATIBLE = ipaddress.ip_network("::/96")
"""RFC 4291 section 2.5.5.1: the same, out of use, and still routed by some."""


def is_public(address: IpAddress) -> bool:
    """Whether an address, or the IPv4 address that it stands for, is one of the public Internet."""
    if isinstance(address, ipaddress.IPv6Address):
        address = _inner(address) or address
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in each for each in _NOT_PUBLIC if each.version == address.version)
    )


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64 or address in _COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
