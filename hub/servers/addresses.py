"""Where the three servers are: named by the site, or run by a hub on this data folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from hub.servers import nats, postgres, redis, state
from hub.servers.lock import is_held
from hub.settings.model import Servers
from hub.settings.secrets import is_reference, resolve

_EMBEDDED = {"nats": nats.url, "postgres": postgres.url, "redis": redis.url}


@dataclass(frozen=True, slots=True, repr=False)
class Addresses:
    """The URLs of the three servers, with their credentials; shown without them."""

    nats_url: str
    """NATS server(s), comma separated."""
    database_url: str
    """PostgreSQL, ``postgresql://...``."""
    redis_url: str
    """Redis, ``redis://...``."""

    def __repr__(self) -> str:
        urls = (self.nats_url, self.database_url, self.redis_url)
        return f"Addresses({', '.join(masked(url) for url in urls)})"


def masked(url: str) -> str:
    """A URL, or several with commas, without user and password: safe to print."""
    return ",".join(_masked_one(part.strip()) for part in url.split(","))


def _masked_one(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not a URL)"
    place = parts.netloc.rpartition("@")[2]
    # The query is left out too: libpq takes `?password=`.
    return urlunsplit((parts.scheme, place, parts.path, "", ""))


def given_urls(settings: Servers) -> dict[str, str]:
    """The URLs that the site names, by server (``nats``, ``postgres``, ``redis``).

    Raises:
        ConfigError: ``secret_unset``, ``secret_unreadable``.

    """
    named = {
        "nats": (settings.nats_url, "servers.nats_url"),
        "postgres": (settings.database_url, "servers.database_url"),
        "redis": (settings.redis_url, "servers.redis_url"),
    }
    return {
        name: resolve(url, where) if is_reference(url) else url
        for name, (url, where) in named.items()
        if url
    }


def of_urls(urls: dict[str, str]) -> Addresses:
    """The URLs by server as one value."""
    return Addresses(nats_url=urls["nats"], database_url=urls["postgres"], redis_url=urls["redis"])


def find_running(data_dir: Path, settings: Servers) -> Addresses | None:
    """For a command beside a running hub: its servers; None where no hub runs on this folder.

    Raises:
        ConfigError: ``state_unreadable``, ``secret_unset``, ``secret_unreadable``.

    """
    urls = given_urls(settings)
    missing = _EMBEDDED.keys() - urls.keys()
    if not missing:
        return of_urls(urls)
    known = state.read(data_dir.absolute())
    if known is None or not is_held(data_dir.absolute()) or not missing <= known.ports.keys():
        return None
    return of_urls(
        urls | {name: _EMBEDDED[name](known.ports[name], known.password) for name in missing}
    )
