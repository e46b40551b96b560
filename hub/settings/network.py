"""Tells addresses of this machine and of private networks from public ones, without asking DNS."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from connectors.addresses import IpAddress, is_public

_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")
"""Names that never are public: RFC 6761, RFC 6762, ICANN's .internal, RFC 8375."""


def is_private_url(url: str) -> bool:
    """Whether a URL's host is, as it is written, not a public address.

    A name that is not local counts as public here: what it resolves to is known only when it is
    called.
    """
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False  # no URL: the connector says so
    if not host:
        return False
    name = host.rstrip(".").lower()
    address = _address(name)
    if address is not None:
        return not is_public(address)
    return any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES)


def _address(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return _loose_address(host)


def _loose_address(host: str) -> ipaddress.IPv4Address | None:
    """The forms that the C library takes too: ``127.1``, ``0x7f000001``, ``2130706433``."""
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
