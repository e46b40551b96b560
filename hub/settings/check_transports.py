"""Checks of transports: whether each can work, and none takes another's documents.

Codes:

- ``folder_missing``: nothing comes and nothing goes
- ``login_missing``: neither password nor private key
- ``address_private``: a private network, which `servers` does not allow
- ``receipt_url_missing``: asynchronous receipts need an address of ours
- ``name_shared``: two AS2 connections with the same two names, or one with twice the same
- ``certificate_unreadable``, ``certificate_invalid``, ``certificate_expired``, ``key_invalid``

Secrets that are not set where the check runs are passed over.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from canonical.errors import ConfigError
from connectors.transports.as2.keys import certificate_at, is_valid, read_own_key
from hub.settings.loader import Loaded
from hub.settings.model import Connection, FolderTransport
from hub.settings.network import is_private_url
from hub.settings.places import OptionPath, dotted
from hub.settings.secrets import resolve
from hub.settings.transports import As2Transport, FtpsTransport, SftpTransport

Problems = Iterator[ConfigError]


def check_transport(loaded: Loaded, path: OptionPath, connection: Connection) -> Problems:
    """All that does not fit in one connection's transport.

    Args:
        loaded: the site.
        path: of the connection.
        connection: the connection.

    """
    transport = connection.transport
    here = (*path, "transport")
    if isinstance(transport, FolderTransport) and not (transport.inbox or transport.outbox):
        yield _problem(loaded, "folder_missing", path, "expected an inbox, an outbox, or both")
    if isinstance(transport, SftpTransport | FtpsTransport):
        yield from _mailbox(loaded, here, transport)
    if isinstance(transport, As2Transport):
        yield from _as2(loaded, here, transport)


def sends(connection: Connection) -> bool | None:
    """Whether the transport itself can send; None: the connector's client does, if anything."""
    match connection.transport:
        case FolderTransport() | SftpTransport() | FtpsTransport() as each:
            return each.outbox is not None
        case As2Transport() as as2:
            return as2.url is not None
        case _:
            return None


def check_names(loaded: Loaded) -> Problems:
    """AS2 names that would not tell one connection from another."""
    known: dict[tuple[str, str], str] = {}
    for name, connection in loaded.site.connections.items():
        transport = connection.transport
        if not isinstance(transport, As2Transport):
            continue
        path = ("connections", name, "transport", "partner_id")
        if transport.our_id == transport.partner_id:
            yield _problem(loaded, "name_shared", path, "expected another name than `our_id`")
        other = known.setdefault((transport.our_id, transport.partner_id), name)
        if other != name:
            yield _problem(
                loaded, "name_shared", path, f"connection {other} has the same two names"
            )


def _mailbox(
    loaded: Loaded, path: OptionPath, transport: SftpTransport | FtpsTransport
) -> Problems:
    if not (transport.inbox or transport.outbox):
        yield _problem(loaded, "folder_missing", path, "expected an inbox, an outbox, or both")
    host = f"[{transport.host}]" if ":" in transport.host else transport.host
    yield from _public(loaded, (*path, "host"), f"//{host}")
    if isinstance(transport, FtpsTransport):
        yield from _issuers(loaded, (*path, "ca_file"), transport.ca_file)
    if isinstance(transport, SftpTransport):
        if transport.password is None and transport.private_key is None:
            yield _problem(loaded, "login_missing", path, "expected a password or a private_key")
        if transport.private_key is not None and (text := _secret(transport.private_key)):
            yield from _private_key(loaded, (*path, "private_key"), text)


def _private_key(loaded: Loaded, path: OptionPath, text: str) -> Problems:
    try:
        from connectors.transports.sftp import read_key

        read_key(text, "")
    except ConfigError as error:
        yield _problem(loaded, error.code, path, error.detail)


def _issuers(loaded: Loaded, path: OptionPath, file: Path | None) -> Problems:
    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError):
        yield _problem(loaded, "certificate_unreadable", path, "expected a PEM file to read")


def _as2(loaded: Loaded, path: OptionPath, transport: As2Transport) -> Problems:
    yield from _issuers(loaded, (*path, "ca_file"), transport.ca_file)
    if transport.url is not None:
        yield from _public(loaded, (*path, "url"), transport.url)
    if transport.receipt == "async" and transport.receipt_url is None:
        yield _problem(loaded, "receipt_url_missing", path, "expected receipt_url for `async`")
    yield from _certificates(loaded, (*path, "partner_certificates"), transport)
    yield from _keys(loaded, (*path, "our_keys"), transport)


def _certificates(loaded: Loaded, path: OptionPath, transport: As2Transport) -> Problems:
    valid = unread = False
    for index, file in enumerate(transport.partner_certificates):
        try:
            valid |= is_valid(certificate_at(file, ""), datetime.now(UTC))
        except ConfigError as error:
            unread = True
            yield _problem(loaded, error.code, (*path, index), error.detail)
    if not valid and not unread:
        yield _problem(loaded, "certificate_expired", path, "none of them is valid now")


def _keys(loaded: Loaded, path: OptionPath, transport: As2Transport) -> Problems:
    valid = unread = False
    for index, reference in enumerate(transport.our_keys):
        text = _secret(reference)
        if text is None:
            unread = True
            continue
        try:
            valid |= is_valid(read_own_key(text.encode(), "").certificate, datetime.now(UTC))
        except ConfigError as error:
            unread = True
            yield _problem(loaded, error.code, (*path, index), error.detail)
    if not valid and not unread:
        yield _problem(loaded, "certificate_expired", path, "none of them is valid now")


def _secret(reference: str) -> str | None:
    try:
        return resolve(reference, "")
    except ConfigError:
        return None


def _public(loaded: Loaded, path: OptionPath, url: str) -> Problems:
    if not loaded.site.servers.allow_private_networks and is_private_url(url):
        detail = "a private address; see servers.allow_private_networks"
        yield _problem(loaded, "address_private", path, detail)


def _problem(loaded: Loaded, code: str, path: OptionPath, detail: str) -> ConfigError:
    return ConfigError(code, loaded.layer.place(path), f"{dotted(path)}: {detail}")
