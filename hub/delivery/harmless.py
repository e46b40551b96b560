"""Text from a target, made fit for the ledger: bounded, and only what PostgreSQL stores.

PostgreSQL text takes neither NUL nor lone surrogates; a target that answers with one must not keep
its delivery from being settled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from canonical.errors import HubError
from connectors.base import Json, Settled
from connectors.wording import MASK
from hub.ledger.delivery_rows import Why

_LONGEST = 500
_LONGEST_CODE = 64
_MOST_FACTS = 20


def text(value: object, longest: int = _LONGEST) -> str:
    """Return `value` as text that the ledger takes."""
    kept = str(value)[:longest].encode("utf-8", "replace").decode()
    return kept.replace("\0", "?")


def settled(answer: Settled) -> Settled:
    """Return the answer with texts that the ledger takes."""
    facts = list(answer.facts.items())[:_MOST_FACTS]
    return Settled(text(answer.external_id), {text(name): text(value) for name, value in facts})


def why(code: str, where: str, detail: str) -> Why:
    """Return the three parts of an error as the ledger takes them."""
    return Why(text(code, _LONGEST_CODE), text(where), text(detail))


def why_of(error: HubError) -> Why:
    """Return an error as the ledger takes it."""
    return why(error.code, error.where, error.detail)


def said(error: HubError, sent: Json) -> str | None:
    """Return what the target answered, without any text of several words that we had sent it.

    Its client has masked what is not the target's usual wording; a company may be called in such
    words all the same.
    """
    answer = text(error.said)
    for value in sorted(set(_texts(sent)), key=len, reverse=True):
        answer = re.sub(re.escape(value), MASK, answer, flags=re.IGNORECASE)
    return answer or None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        whole = " ".join(value.split())
        if " " in whole:
            yield whole
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
