"""AS2 agreements as the configuration has them: keys, certificates, and how messages are packed.

Codes, all `ConfigError`: those of `connectors.transports.as2.keys` and `hub.settings.secrets`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connectors.transports.as2.keys import certificate_at, read_own_key
from connectors.transports.as2.message import Agreement, Wrapping
from hub.settings.model import Site
from hub.settings.secrets import resolve
from hub.settings.transports import As2Transport

T = TypeVar("T")

_TYPES = {".x12": "application/edi-x12", ".edi": "application/edifact"}
"""RFC 1767, by the ending that a system gives its files."""


@dataclass(frozen=True, slots=True)
class As2Partner:
    """One AS2 connection: its options and what follows from them."""

    connection: str
    transport: As2Transport
    agreement: Agreement


def as2_partner(connection: str, transport: As2Transport) -> As2Partner:
    """Load what an AS2 connection needs.

    Raises:
        ConfigError: a key or certificate that is none, or a secret that is not there.
    """
    place = f"connections.{connection}.transport"
    keys = tuple(
        read_own_key(resolve(reference, where).encode(), where)
        for where, reference in _numbered(f"{place}.our_keys", transport.our_keys)
    )
    certificates = tuple(
        certificate_at(path, where)
        for where, path in _numbered(
            f"{place}.partner_certificates", transport.partner_certificates
        )
    )
    agreement = Agreement(
        us=transport.our_id,
        partner=transport.partner_id,
        our_keys=keys,
        certificates=certificates,
        require_signed=transport.require_signed,
        require_encrypted=transport.require_encrypted,
        max_bytes=transport.max_bytes,
    )
    return As2Partner(connection, transport, agreement)


def _numbered(place: str, values: Sequence[T]) -> list[tuple[str, T]]:
    return [(f"{place}[{index}]", value) for index, value in enumerate(values)]


def as2_partners(site: Site) -> Mapping[str, As2Partner]:
    """Load all AS2 connections of a site, by name.

    Raises:
        ConfigError: as `as2_partner`.
    """
    return {
        name: as2_partner(name, connection.transport)
        for name, connection in site.connections.items()
        if isinstance(connection.transport, As2Transport)
    }


def wrapping_of(transport: As2Transport, file_suffix: str) -> Wrapping:
    """How messages to a partner are packed."""
    return Wrapping(
        sign=transport.sign,
        cipher=None if transport.encrypt == "none" else transport.encrypt,
        compress=transport.compress,
        content_type=transport.content_type or _TYPES.get(file_suffix, "application/octet-stream"),
    )
