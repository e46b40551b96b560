"""A vendor's HTTP API in a test: what clients must survive, on respx routes.

It signs in (OAuth 2.0 client credentials), cuts collections into pages, takes records, and
goes wrong on demand. What took effect at the vendor is in `effects`, whatever the client
heard of it: a test compares the two.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import respx

Json = dict[str, Any]
Handler = Callable[[httpx.Request], httpx.Response]
Fault = Callable[[httpx.Request, Handler], httpx.Response]


def throttled(retry_after: float | str = 7) -> Fault:
    """429 with Retry-After (RFC 9110 10.2.3): nothing took effect."""
    return lambda _request, _handler: httpx.Response(429, headers={"Retry-After": str(retry_after)})


def unavailable(status: int = 503) -> Fault:
    """An error of the server before anything took effect."""
    return lambda _request, _handler: httpx.Response(status)


def refused(status: int, body: Json) -> Fault:
    """A refusal in the vendor's own words."""
    return lambda _request, _handler: httpx.Response(status, json=body)


def login_page() -> Fault:
    """200 and a page for people: a proxy or a portal answers in the API's place."""
    return lambda _request, _handler: httpx.Response(200, html="<h1>Sign in</h1>")


def unreachable() -> Fault:
    """No connection: the request never left."""

    def fault(request: httpx.Request, _handler: Handler) -> httpx.Response:
        raise httpx.ConnectError("nobody listens", request=request)

    return fault


def lost_call() -> Fault:
    """The connection breaks before the vendor has read the request: no effect, no answer."""

    def fault(request: httpx.Request, _handler: Handler) -> httpx.Response:
        raise httpx.ReadError("the connection was reset", request=request)

    return fault


def lost_answer() -> Fault:
    """The request takes effect, and its answer is lost."""

    def fault(request: httpx.Request, handler: Handler) -> httpx.Response:
        handler(request)
        raise httpx.ReadError("the connection was reset", request=request)

    return fault


def cut_short() -> Fault:
    """The request takes effect, and its answer ends in the middle."""

    def fault(request: httpx.Request, handler: Handler) -> httpx.Response:
        answer = handler(request)
        return httpx.Response(
            answer.status_code, content=answer.content[: -len(answer.content) // 2]
        )

    return fault


def _nothing_there(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(404, json={})


@dataclass(frozen=True, slots=True)
class Effect:
    """What a request did at the vendor."""

    method: str
    path: str
    body: Any


@dataclass
class VendorStub:
    """One vendor's API below `base`.

    Args:
        router: where the routes are; a fixture gives one.
        base: the address of the API, without a slash at its end.

    """

    router: respx.MockRouter
    base: str
    effects: list[Effect] = field(default_factory=list)
    seen: list[httpx.Request] = field(default_factory=list)
    """Every request to the API, those that went wrong too; none that signs in."""
    signed_in: int = 0
    """How often a token was asked for."""
    _handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)
    _faults: deque[tuple[str, str, Fault]] = field(default_factory=deque)
    _tokens: set[str] | None = None

    def __post_init__(self) -> None:
        self.router.route(url__startswith=self.base).mock(side_effect=self._answer)

    def sign_in(self, url: str, credentials: Mapping[str, str], life: object = 3600) -> None:
        """Want a bearer token that `url` gives for these form fields (RFC 6749 4.4)."""
        self._tokens = set()

        def token(request: httpx.Request) -> httpx.Response:
            self.signed_in += 1
            form = {name: each[0] for name, each in parse_qs(request.content.decode()).items()}
            wanted = {"grant_type": "client_credentials", **credentials}
            if self._tokens is None or any(form.get(k) != v for k, v in wanted.items()):
                return httpx.Response(401, json={"error": "invalid_client"})
            self._tokens.add(f"token-{self.signed_in}")
            made = {"access_token": f"token-{self.signed_in}", "expires_in": life}
            return httpx.Response(200, json=made)

        self.router.post(url).mock(side_effect=token)

    def revoke(self) -> None:
        """Refuse every token that was given so far: the next call gets a 401."""
        if self._tokens is not None:
            self._tokens.clear()

    def on(self, method: str, path: str, handler: Handler) -> None:
        """Answer a path below the base; `handler` may look at the whole request."""
        self._handlers[method, path] = handler

    def effect(self, request: httpx.Request) -> Any:
        """Note that a request took effect; return its JSON body."""
        body = json.loads(request.content) if request.content else None
        self.effects.append(Effect(request.method, self._path(request), body))
        return body

    def pages(
        self, path: str, rows: Sequence[Json], size: int, link: Callable[[Json, str], None]
    ) -> None:
        """Give a collection in pages of so many rows; `link` writes the next page's address."""

        def page(request: httpx.Request) -> httpx.Response:
            first = int(request.url.params.get("skip", 0))
            body: Json = {"value": list(rows[first : first + size])}
            if first + size < len(rows):
                link(body, f"{self.base}{path}?skip={first + size}")
            return httpx.Response(200, json=body)

        self.on("GET", path, page)

    def goes_wrong(self, method: str, path: str, *faults: Fault) -> None:
        """Let the next calls of a path go wrong, one after the other."""
        self._faults.extend((method, path, fault) for fault in faults)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        key = (request.method, self._path(request))
        if not self._is_signed_in(request):
            return httpx.Response(401, json={"error": {"code": "Unauthorized"}})
        handler = self._handlers.get(key, _nothing_there)
        for planned in self._faults:
            if planned[:2] == key:
                self._faults.remove(planned)
                return planned[2](request, handler)
        return handler(request)

    def _is_signed_in(self, request: httpx.Request) -> bool:
        if self._tokens is None:
            return True
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bearer" and token in self._tokens

    def _path(self, request: httpx.Request) -> str:
        return str(request.url.copy_with(query=None)).removeprefix(self.base)
