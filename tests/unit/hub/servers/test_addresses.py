"""What may be shown of the servers' URLs."""

from __future__ import annotations

import pytest

from hub.servers.addresses import Addresses, given_urls, masked
from hub.settings.model import Servers


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:pw@db:5432/hub", "postgresql://db:5432/hub"),
        ("postgresql://db/hub?password=pw", "postgresql://db/hub"),
        ("nats://u:pw@a:4222, nats://u:pw@b:4222", "nats://a:4222,nats://b:4222"),
        ("redis://:p@w@r/0", "redis://r/0"),
        ("rediss://r", "rediss://r"),
        ("http://[::1", "(not a URL)"),
    ],
)
def test_a_masked_url_shows_no_credentials(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_addresses_show_no_credentials() -> None:
    addresses = Addresses("nats://u:canary@n", "postgresql://u:canary@p/d", "redis://:canary@r")
    assert "canary" not in repr(addresses)
    assert "canary" not in str(addresses)


def test_a_reference_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:pw@db/hub")
    settings = Servers(database_url="env:DATABASE_URL", redis_url="redis://r")
    assert given_urls(settings) == {
        "postgres": "postgresql://u:pw@db/hub",
        "redis": "redis://r",
    }
    assert "pw" not in repr(settings)
