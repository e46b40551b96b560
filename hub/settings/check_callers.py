"""Checks of who may use the API.

Codes: ``caller_unknown`` (a role for a caller without a token), ``token_shared`` (two callers with one
token: whoever has it would act as either), ``token_short`` (it can be guessed).
"""

from __future__ import annotations

from canonical.errors import ConfigError
from hub.settings.check_parts import Problems, problem
from hub.settings.loader import Loaded
from hub.settings.names import did_you_mean
from hub.settings.places import OptionPath
from hub.settings.secrets import resolve

_LEAST = 16
"""Characters of a token: RFC 6750 section 5.2 wants one that nobody can guess."""


def check_callers(loaded: Loaded) -> Problems:
    """All that is wrong with tokens and roles; tokens that are not set here are only compared by name."""
    tokens = loaded.site.api_tokens
    for name in loaded.site.api_roles:
        if name not in tokens:
            detail = f"no token of this name{did_you_mean(name, tokens)}"
            yield problem(loaded, "caller_unknown", ("api_roles", name), detail)
    first: dict[str, str] = {}
    for name, reference in tokens.items():
        path: OptionPath = ("api_tokens", name)
        secret = _set_here(reference)
        if secret is not None and len(secret) < _LEAST:
            detail = f"expected a token of {_LEAST} characters or more"
            yield problem(loaded, "token_short", path, detail)
        other = first.setdefault(reference if secret is None else secret, name)
        if other != name:
            yield problem(loaded, "token_shared", path, f"the token of {other}, too")


def _set_here(reference: str) -> str | None:
    try:
        return resolve(reference, "api_tokens")
    except ConfigError:
        return None
