"""Whether a corrected document may stand for the original: read, validated, the same identity.

Codes: ``identity_locked`` (it would be another document), ``edit_elsewhere`` (another document of
the receipt would change), ``edit_empty``; ``canonical_invalid`` and the codes of mapping and codec.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from canonical.errors import Rejected
from canonical.identity import business_key, content_id
from canonical.summary import summarise
from hub.ledger.delivery_rows import DocumentRow
from hub.mapping.validation import validate
from hub.workers.jobs import Failed, Normalized, NormalizeResult


@dataclass(frozen=True, slots=True)
class Checked:
    """What the corrected document says, as far as the ledger keeps it."""

    entity: str | None
    content_id: str | None
    canonical: Any
    amount: Decimal | None
    currency: str | None
    amount_before: Decimal | None
    """What it was worth before the correction; None: that could not be read."""

    def exceeds(self, value: Decimal | None) -> bool:
        """Whether it is worth more than `value` before or after, or may be; None: never."""
        worth = (self.amount_before, self.amount)
        return value is not None and any(each is None or each > value for each in worth)


def check_document(of: DocumentRow, key: str, edited: bytes) -> Checked:
    """Check a corrected canonical document.

    Raises:
        Rejected: ``canonical_invalid`` or ``identity_locked``.
    """
    document = validate(of.entity, edited)
    if str(business_key(document, of.partner)) != key:
        raise Rejected("identity_locked", "", "it would be a document of another business key")
    facts = summarise(document)
    canonical = orjson.loads(document.model_dump_json(exclude_none=True))
    return Checked(
        of.entity, content_id(document), canonical, facts.amount, facts.currency, of.amount
    )


def check_receipt(
    letter: Mapping[str, Any],
    original: tuple[bytes, NormalizeResult],
    results: tuple[NormalizeResult, NormalizeResult],
) -> Checked:
    """Check what is read of a corrected receipt.

    Args:
        letter: the dead letter.
        original: the bytes as they came, and what today's codec and mappings make of them.
        results: what they make of the bytes before this correction, and of the corrected bytes.

    Raises:
        Rejected: why the document still cannot go on; ``identity_locked``, ``edit_elsewhere``.
    """
    text, before = original
    base, edited = results
    mine, others = _split(edited, letter)
    _, others_before = _split(before, letter)
    if letter["stage"] != "decode" and _said(others) != _said(others_before):
        raise Rejected("edit_elsewhere", "", "another document of the receipt would change")
    made = _made(letter, mine)
    for each in made:
        _check_identity(letter, text, each)
    first = made[0]
    worth = [_amount(made), _amount(_split(base, letter)[0])]
    return Checked(first.entity, first.content_id, None, worth[0], first.currency, worth[1])


def _amount(documents: Sequence[Any]) -> Decimal | None:
    """Return the most that one of the documents is worth; None where that is not known of all."""
    texts = [each.amount if isinstance(each, Normalized) else None for each in documents]
    known = [Decimal(text) for text in texts if text is not None]
    return max(known, default=None) if len(known) == len(texts) else None


def _split(result: NormalizeResult, letter: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    mine = [each for each in result.documents if each.position == letter["position"]]
    return mine, [each for each in result.documents if each.position != letter["position"]]


def _made(letter: Mapping[str, Any], mine: Sequence[Any]) -> list[Normalized]:
    for each in mine:
        if isinstance(each, Failed):
            raise each.error
    made = [each for each in mine if isinstance(each, Normalized)]
    if not made:
        raise Rejected("document_gone", letter["id"], "nothing is read at this position any more")
    return made


def _check_identity(letter: Mapping[str, Any], original: bytes, made: Normalized) -> None:
    """Refuse a number that the sender did not write: that is another document, made by hand."""
    if letter["business_key"] not in (None, made.business_key):
        raise Rejected("identity_locked", "", "it would be a document of another business key")
    if letter["entity"] not in (None, made.entity):
        raise Rejected("identity_locked", "", "it would be another kind of document")
    if made.number is not None and made.number.encode() not in original:
        raise Rejected("identity_locked", "", "its number does not stand in the original")


def _said(documents: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Return what can be told apart of other documents of a receipt."""
    return [
        (each.position, each.business_key, each.content_id)
        if isinstance(each, Normalized)
        else (each.position, type(each).__name__)
        for each in documents
    ]
