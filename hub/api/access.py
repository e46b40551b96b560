"""Who may use the API and for what: bearer tokens from the configuration, each with a role.

Codes: ``unauthorised`` (401), ``forbidden`` (403: known, and not allowed).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, params
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from canonical.errors import Rejected
from hub.settings.model import Role
from hub.settings.roles import may

_SCHEME = HTTPBearer(auto_error=False, description="A token of the site's `api_tokens`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the name of the token, and what it may do."""

    name: str
    role: Role


class Access:
    """Knows the API tokens; `required` is the dependency of every `/v1` route."""

    def __init__(self, tokens: Mapping[str, str], roles: Mapping[str, Role] | None = None) -> None:
        """Take the tokens by name, and the roles of those that are more than viewers."""
        self._tokens = {name: token.encode() for name, token in tokens.items()}
        self._roles = dict(roles or {})

    def caller(self, request: Request) -> Caller:
        """Return who calls; all tokens are compared, each in constant time.

        Raises:
            Rejected: ``unauthorised``.
        """
        given = request.headers.get("authorization", "").encode("latin-1", "replace")
        scheme, _, token = given.partition(b" ")
        found = ""
        for name, known in self._tokens.items():
            if hmac.compare_digest(token, known) and scheme.lower() == b"bearer":
                found = name
        if not found:
            raise Rejected("unauthorised", "authorization", "expected a known bearer token")
        return Caller(found, self._roles.get(found, "viewer"))

    def role(self, needed: Role) -> Callable[[Request, Credentials], Caller]:
        """Return what names the caller of a route and checks its role.

        It raises ``unauthorised`` or ``forbidden``; the scheme is there for the OpenAPI document.
        """

        def check(request: Request, _credentials: Credentials) -> Caller:
            caller = self.caller(request)
            if not may(caller.role, needed):
                raise Rejected("forbidden", "authorization", f"needs the role {needed}")
            request.state.caller = caller
            return caller

        return check

    def required(self, needed: Role = "viewer") -> params.Depends:
        """Return the dependency for a route."""
        return params.Depends(self.role(needed))


def _checked(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


Who = Annotated[Caller, Depends(_checked)]
"""A parameter of a route that `Access.required` guards: who calls."""
