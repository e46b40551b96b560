"""Clients of the transports that keep books: AS2 and mailboxes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from connectors.base import Capabilities, Client
from connectors.reach import Reach
from hub.agreements import as2_partner, wrapping_of
from hub.clock import Clock
from hub.delivery import remote_client
from hub.delivery.as2_client import As2Client, As2Parts, capabilities_of
from hub.delivery.remote_client import RemoteClient
from hub.mailboxes import opener
from hub.settings.model import Limits
from hub.settings.transports import As2Transport, FtpsTransport, SftpTransport


@dataclass(frozen=True, slots=True)
class Books:
    """Where it is noted what has been sent."""

    engine: AsyncEngine
    clock: Clock


@dataclass(frozen=True, slots=True)
class Sending:
    """How a connection is driven as a target."""

    limits: Limits
    file_suffix: str
    reach: Reach


def carrier(
    connection: str,
    transport: As2Transport | SftpTransport | FtpsTransport,
    sending: Sending,
    books: Books,
) -> tuple[Client, Capabilities] | None:
    """Return what sends over a transport, or None where nothing is sent there.

    Raises:
        ConfigError: a key, certificate or secret cannot be used.
    """
    if isinstance(transport, As2Transport):
        if transport.url is None:
            return None
        partner = as2_partner(connection, transport)
        timeout = sending.limits.timeout_seconds
        parts = As2Parts(books.engine, books.clock, timeout, sending.reach)
        wrapping = wrapping_of(transport, sending.file_suffix)
        return As2Client(partner, wrapping, parts), capabilities_of(partner)
    if transport.outbox is None:
        return None
    opens = opener(connection, transport, sending.reach)
    client = RemoteClient((connection, transport.outbox), opens, books.engine, books.clock)
    return client, remote_client.CAPABILITIES
