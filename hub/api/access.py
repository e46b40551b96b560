"""Who may use the API: bearer tokens from the configuration, compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from fastapi import Request, params

from canonical.errors import Rejected


class Access:
    """Knows the API tokens; `required` is the dependency of every `/v1` route."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = {name: token.encode() for name, token in tokens.items()}

    def caller(self, request: Request) -> str:
        """Return the name of the caller.

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
        return found

    def required(self) -> params.Depends:
        """Return the dependency for a route."""
        return params.Depends(self.caller)
