"""The sign-in service: OAuth 2.0 client credentials (RFC 6749, section 4.4), as Entra ID answers.

A token is a signed statement, so it stays valid over a restart; revoking raises the generation.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from sandbox.company import Company
from sandbox.json_text import Row, dumps

LIFETIME_SECONDS = 3599
"""How long Entra ID's access tokens for services live, by its default."""


@dataclass(frozen=True)
class SignIn:
    """Who may call, and how tokens are made and checked."""

    client_id: str
    client_secret: str
    company: Company
    clock: Callable[[], datetime]
    lifetime: int = LIFETIME_SECONDS

    def token(self) -> str:
        """A new access token."""
        expires = int(self.clock().timestamp()) + self.lifetime
        claim = f"{expires}.{self.company.token_generation}"
        return f"{claim}.{self._signature(claim)}"

    def accepts(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries a token of ours that is still good."""
        scheme, _, token = (authorization or "").partition(" ")
        claim, _, signature = token.rpartition(".")
        expected = self._signature(claim).encode()
        if scheme.lower() != "bearer" or not hmac.compare_digest(signature.encode(), expected):
            return False
        expires, _, generation = claim.partition(".")
        fresh = int(expires) > self.clock().timestamp()
        return fresh and int(generation) == self.company.token_generation

    def _signature(self, claim: str) -> str:
        digest = hmac.new(self.client_secret.encode(), claim.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def router(sign_in: SignIn) -> APIRouter:
    """The token endpoint, with and without a tenant in the path."""
    routes = APIRouter()

    @routes.post("/oauth2/v2.0/token")
    @routes.post("/{tenant}/oauth2/v2.0/token")
    async def token(request: Request) -> Response:
        form = {name: values[-1] for name, values in parse_qs(await _text(request)).items()}
        if form.get("grant_type") != "client_credentials":
            return _answer(400, {"error": "unsupported_grant_type"})
        known = _same(form.get("client_id", ""), sign_in.client_id)
        if not (known and _same(form.get("client_secret", ""), sign_in.client_secret)):
            return _answer(401, {"error": "invalid_client"})
        return _answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": sign_in.lifetime,
                "ext_expires_in": sign_in.lifetime,
                "access_token": sign_in.token(),
            },
        )

    return routes


async def _text(request: Request) -> str:
    return (await request.body()).decode("utf-8", "replace")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _answer(status: int, body: Row) -> Response:
    return Response(
        dumps(body), status, {"Cache-Control": "no-store"}, media_type="application/json"
    )
