"""The API of one company: reads that may be tried again, writes that never are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

import httpx
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Json
from connectors.business_central.auth import Tokens, tokens_for
from connectors.business_central.config import BusinessCentralConfig
from connectors.business_central.exchange import (
    Caps,
    Raw,
    TooLarge,
    Unanswered,
    Unsent,
    exchange,
)
from connectors.business_central.faults import Answer, classify, lost, not_the_api, retry_after
from connectors.business_central.odata import has_same_origin
from connectors.json_body import read_object

READ_ATTEMPTS = 3
_WORTH_A_RETRY = {"connection_failed", "answer_lost", "target_unavailable"}


def utc_now() -> datetime:
    """The wall clock, which Retry-After dates are read against."""
    return datetime.now(UTC)


def _passing(error: BaseException) -> bool:
    """Whether a read is worth trying again at once: not where we were asked to wait."""
    return (
        isinstance(error, Retryable) and error.code in _WORTH_A_RETRY and error.retry_after is None
    )


@dataclass(frozen=True, slots=True)
class Clocks:
    """Time as the client sees it; tests pass their own."""

    monotonic: Callable[[], float] = time.monotonic
    utc: Callable[[], datetime] = utc_now
    longest_pause: float = 2.0
    """Seconds between two tries of a read, at most."""


LIMITS = httpx.Limits(max_connections=100, keepalive_expiry=2.0)
"""Idle connections are dropped before servers do it (5 s is common): a request that meets a
connection just closed by the other side is in doubt for nothing."""


@dataclass(frozen=True, slots=True)
class Write:
    """One change to make: `content` is the encoded body, `etag` the record's as we read it."""

    method: str
    url: str
    content: bytes = b""
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection to read: its address, the query's options, further headers."""

    url: str
    params: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """Calls Business Central and turns every answer into a value or an error by action.

    Args:
        config: where and who.
        transport: carries the calls: what the site may reach, or a network of a test's own.
        clocks: replaces the clocks in tests.

    """

    def __init__(
        self,
        config: BusinessCentralConfig,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self._config = config
        self._clocks = clocks or Clocks()
        timeout = httpx.Timeout(config.deadline_seconds, connect=config.connect_seconds)
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=timeout,
            limits=LIMITS,
            follow_redirects=False,
            trust_env=False,
        )
        self._tokens: Tokens = tokens_for(config, self._http, self._clocks.monotonic)
        self.base = config.company_url

    async def __aenter__(self) -> Self:
        """The client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """Release connections; may be called twice."""
        await self._http.aclose()

    async def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Json, bytes]:
        """Read one resource: parsed, and the bytes as they came.

        Tried up to three times, all under one deadline.

        Raises:
            Retryable: for every fault; see `faults`.

        """
        retrying = AsyncRetrying(
            stop=stop_after_attempt(READ_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.1, max=self._clocks.longest_pause),
            retry=retry_if_exception(_passing),
            reraise=True,
        )
        try:
            async with asyncio.timeout(self._config.deadline_seconds):
                return await retrying(self._get_once, url, params or {}, headers or {})
        except TimeoutError as error:
            raise Retryable("answer_lost", "", "deadline") from error

    async def pages(self, asked: Collection, most: int) -> AsyncIterator[tuple[Json, bytes]]:
        """Read a collection page by page, as the server cuts it: parsed, and the bytes.

        Raises:
            Retryable: every fault; ``link_elsewhere`` for a next page on another origin;
                ``too_many_pages`` after `most` of them.

        """
        url, params = asked.url, asked.params
        for _ in range(most):
            page, body = await self.get(url, params, asked.headers)
            link = page.get("@odata.nextLink")
            yield page, body
            if link is None:
                return
            if not isinstance(link, str) or not has_same_origin(link, self.base):
                expected = "expected a link to the same origin"
                raise Retryable("link_elsewhere", "@odata.nextLink", expected)
            url, params = link, {}
        raise Retryable("too_many_pages", "@odata.nextLink", f"expected at most {most} pages")

    async def _get_once(
        self, url: str, params: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[Json, bytes]:
        request = self._request("GET", url, headers)
        if params:
            request.url = request.url.copy_merge_params(dict(params))
        try:
            raw = await self._authorised(request)
        except Unsent as error:
            raise Retryable("connection_failed", "", str(error)) from error
        except TooLarge as error:
            raise Retryable("answer_too_large", "", str(error)) from error
        except Unanswered as error:
            raise Retryable("answer_lost", "", str(error)) from error
        if raw.status != httpx.codes.OK:
            raise self._classified(raw, writing=False)
        return self._json(raw, writing=False), raw.body

    async def write(self, change: Write) -> Json:
        """Make one change, once; {} where the answer has no body.

        Raises:
            Retryable: nothing took effect (`Stale`: read again).
            InDoubt: the answer was lost.
            Rejected: never.

        """
        headers = {"If-Match": change.etag} if change.etag is not None else {}
        request = self._request(change.method, change.url, headers, change.content)
        try:
            raw = await self._authorised(request)
        except Unsent as error:
            raise Retryable("connection_failed", "", str(error)) from error
        except Unanswered as error:
            raise lost(str(error)) from error
        if raw.status not in {200, 201, 204}:
            raise self._classified(raw, writing=True)
        return self._json(raw, writing=True) if raw.body else {}

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> httpx.Request:
        fixed = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if content:
            fixed["Content-Type"] = "application/json"
        return self._http.build_request(
            method, url, headers={**fixed, **headers}, content=content or None
        )

    async def _authorised(self, request: httpx.Request) -> Raw:
        """Send with a token; a refused one is replaced once (a 401 says that nothing was done)."""
        caps = Caps(self._config.deadline_seconds, self._config.max_response_bytes)
        token = await self._tokens.get()
        request.headers["Authorization"] = f"Bearer {token}"
        raw = await exchange(self._http, request, caps)
        if raw.status != httpx.codes.UNAUTHORIZED or not self._tokens.refused(token):
            return raw
        request.headers["Authorization"] = f"Bearer {await self._tokens.get()}"
        return await exchange(self._http, request, caps)

    def _classified(self, raw: Raw, *, writing: bool) -> HubError:
        wait = retry_after(raw.headers.get("Retry-After"), self._clocks.utc())
        code, message = _error(raw.body)
        return classify(Answer(raw.status, code, wait, message), writing=writing)

    def _json(self, raw: Raw, *, writing: bool) -> Json:
        try:
            body = read_object(raw.body)
        except Rejected as error:
            raise not_the_api(error.code, writing=writing) from error
        if "error" in body:
            raise not_the_api(f"HTTP {raw.status} with an error", writing=writing)
        return body


def written(made: Json, key: str) -> str:
    """A text that the answer to a write must have.

    Raises:
        InDoubt: ``not_the_api``: something else answered.

    """
    value = made.get(key)
    if not isinstance(value, str) or not value:
        raise not_the_api(f"expected {key} in the answer", writing=True)
    return value


def _error(body: bytes) -> tuple[str | None, str]:
    """Business Central's ``{"error": {"code": ..., "message": ...}}``; the message holds data."""
    try:
        error = read_object(body).get("error")
    except Rejected:
        return None, ""
    found = error if isinstance(error, dict) else {}
    code, message = found.get("code"), found.get("message")
    return code if isinstance(code, str) else None, message if isinstance(message, str) else ""
