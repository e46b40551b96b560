"""Mailboxes as the configuration has them: who opens a session to which server.

Codes, all `ConfigError`: those of `hub.settings.secrets`, ``key_invalid``.
"""

from __future__ import annotations

from connectors.reach import Reach
from connectors.transports import ftps, sftp
from connectors.transports.ftps import FtpsLogin
from connectors.transports.remote import Opener
from connectors.transports.sftp import SftpLogin
from hub.settings.secrets import resolve
from hub.settings.transports import FtpsTransport, SftpTransport


def opener(connection: str, transport: SftpTransport | FtpsTransport, reach: Reach) -> Opener:
    """Return what connects to a mailbox's server and logs in.

    Raises:
        ConfigError: a secret is not there, or is no key.
    """
    place = f"connections.{connection}.transport"
    if isinstance(transport, FtpsTransport):
        return _ftps(transport, resolve(transport.password, f"{place}.password"), reach)
    return _sftp(transport, place, reach)


def _ftps(transport: FtpsTransport, password: str, reach: Reach) -> Opener:
    login = FtpsLogin(
        transport.host,
        transport.port,
        transport.username,
        password,
        transport.ca_file,
        transport.timeout_seconds,
    )
    return lambda: ftps.connected(login, reach)


def _sftp(transport: SftpTransport, place: str, reach: Reach) -> Opener:
    password = private_key = None
    if transport.password is not None:
        password = resolve(transport.password, f"{place}.password")
    if transport.private_key is not None:
        private_key = resolve(transport.private_key, f"{place}.private_key")
        sftp.read_key(private_key, f"{place}.private_key")
    login = SftpLogin(
        transport.host,
        transport.port,
        transport.username,
        transport.host_fingerprints,
        password,
        private_key,
        transport.timeout_seconds,
    )
    return lambda: sftp.connected(login, reach)
