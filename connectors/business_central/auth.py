"""Bearer tokens: one as it is, or OAuth 2.0 client credentials (RFC 6749 section 4.4), cached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from canonical.errors import HubError, Rejected, Retryable
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.exchange import Caps, Raw, Unanswered, Unsent, exchange
from connectors.json_body import read_object

MARGIN_SECONDS = 60.0
"""A token is replaced this long before it expires, so that none expires on its way."""
DEFAULT_LIFE = 300.0
"""Assumed where the answer has no usable ``expires_in``."""
_MOST_BYTES = 100_000


class Tokens(Protocol):
    """Where the bearer token comes from."""

    async def get(self) -> str:
        """A token that is good as far as we know.

        Raises:
            Retryable: ``unauthorised`` or ``target_unavailable``: there is none now.

        """
        ...

    def refused(self, token: str) -> bool:
        """Note that the API refused `token`; whether `get` may give a better one."""
        ...


class FixedToken:
    """A token from the configuration."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get(self) -> str:
        """The one token."""
        return self._token

    def refused(self, token: str) -> bool:  # noqa: ARG002  # the protocol's argument
        """There is no other."""
        return False


@dataclass(frozen=True, slots=True)
class _Cached:
    token: str
    until: float


class ClientCredentials:
    """Fetches a token when there is none, shortly before it expires and after it was refused.

    Args:
        config: with `token_url`, `client_id` and `client_secret`.
        http: sends the request; shared with the API's client.
        clock: monotonic seconds.

    """

    def __init__(
        self, config: BusinessCentralConfig, http: httpx.AsyncClient, clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._http = http
        self._clock = clock
        self._cached: _Cached | None = None
        self._turn = asyncio.Lock()

    async def get(self) -> str:
        """See `Tokens`; many callers at once cause one request."""
        async with self._turn:
            if self._cached is None or self._clock() >= self._cached.until:
                self._cached = await self._fetch()
            return self._cached.token

    def refused(self, token: str) -> bool:
        """Forget `token`, unless another caller has replaced it already."""
        if self._cached is not None and self._cached.token == token:
            self._cached = None
        return True

    async def _fetch(self) -> _Cached:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._config.client_id,
            "client_secret": self._config.client_secret.get_secret_value(),
            "scope": self._config.scope,
        }
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        url = self._config.token_url or ""
        request = self._http.build_request("POST", url, data=form, headers=headers)
        asked_at = self._clock()
        try:
            raw = await exchange(
                self._http, request, Caps(self._config.deadline_seconds, _MOST_BYTES)
            )
        except (Unsent, Unanswered) as error:
            raise Retryable("target_unavailable", "token_url", str(error)) from error
        return _read(raw, asked_at)


def _read(raw: Raw, asked_at: float) -> _Cached:
    """Read the token endpoint's answer (RFC 6749 5.1 and 5.2)."""
    if raw.status != httpx.codes.OK:
        raise _refusal(raw.status)
    try:
        body = read_object(raw.body)
    except Rejected as error:
        raise Retryable("not_the_api", "token_url", error.code) from error
    token = body.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise Retryable("not_the_api", "token_url", "expected an access_token")
    # Older endpoints send the seconds as text.
    life = str(body.get("expires_in"))
    seconds = float(life) if life.isascii() and life.isdigit() else DEFAULT_LIFE
    return _Cached(token, asked_at + max(seconds - MARGIN_SECONDS, seconds / 2))


def _refusal(status: int) -> HubError:
    """400 and 401 mean that our credentials are refused; anything else passes."""
    code = "unauthorised" if status in {400, 401, 403} else "target_unavailable"
    return Retryable(code, "token_url", f"HTTP {status}")


def tokens_for(
    config: BusinessCentralConfig, http: httpx.AsyncClient, clock: Callable[[], float]
) -> Tokens:
    """The token source that the options describe."""
    if config.token_url is None:
        return FixedToken(config.token.get_secret_value())
    return ClientCredentials(config, http, clock)
