"""The refusals that every route of `/v1` may answer with, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Why(BaseModel):
    """What is wrong: a word, a place, a sentence; never a value that was sent."""

    code: str
    where: str
    detail: str


class Refusal(BaseModel):
    """The one shape of all refusals."""

    error: Why


_MEANINGS = {
    400: "Refused, with a code",
    401: "No known token",
    403: "The token's role does not allow it",
    404: "There is no such thing",
    409: "Somebody was faster, or it would have an effect twice",
    413: "The body is too large",
    422: "A parameter is not what it should be",
    503: "Not now: come again after Retry-After seconds",
}

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": meaning} for status, meaning in _MEANINGS.items()
}
"""For FastAPI's ``responses``."""
