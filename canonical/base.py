"""The base of every canonical model: frozen, strict, nothing unnamed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?", re.ASCII)


class Canonical(BaseModel):
    """A value of the hub's vocabulary: immutable, no coercion, unknown fields refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="strings")


def _decimal(value: object) -> Decimal:
    """Read a decimal from ASCII text; a float, a bool or an exponent is refused.

    Binary floats cannot hold 10.10, so a float here means the exact value is already lost.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    raise ValueError('expected a plain decimal as text, such as "12.50"')


def _plain(value: Decimal) -> str:
    return format(value, "f")


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_decimal, json_schema_input_type=str),
    PlainSerializer(_plain, return_type=str, when_used="json"),
    Field(json_schema_extra={"pattern": r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$"}),
]
"""An exact decimal: at most 18 digits before and 9 after the point; text in JSON."""

# No C0/C1 control characters: NUL cannot be stored in PostgreSQL and line breaks break EDI.
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
"""A short human text on one line, 1 to 256 characters."""

Code = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]
"""An identifier or code exactly as its owner writes it: leading zeros and spaces are kept."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(text: str | None) -> int:
    """Microseconds since 1970 of an RFC 3339 stamp; 0 for None or a stamp that is none."""
    if text is None:
        return 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return 0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1)


Extensions = dict[Code, str]
"""What a source said and the vocabulary has no word for; kept, never interpreted."""


Purpose = Literal["original", "change", "replace", "cancel", "state"]
"""`state` is a snapshot of something that changes: stock, a tracker, an item's card."""


class Document(Canonical):
    """A canonical document: what is published, delivered and reconciled.

    `entity` names the kind in subjects and tables; `version` is the major version of its
    schema (additive changes only within one).
    """

    entity: ClassVar[str]
    version: ClassVar[int] = 1

    def key_parts(self) -> tuple[str, str]:
        """(number, release): what, with the partner, makes the business key (DESIGN section 5)."""
        raise NotImplementedError

    def content(self) -> dict[str, Any]:
        """The document's values without the parts of its key and without envelope facts.

        This is what the content id is computed over: two documents with the same content under
        different keys are twins.
        """
        return self.model_dump(exclude_defaults=True, exclude=self.key_fields | {"modified_at"})

    key_fields: ClassVar[set[str]] = set()

    def purpose(self) -> Purpose:
        """Why it was sent; a document that says nothing is an original."""
        return "original"

    def sequence(self) -> int:
        """Where it stands among the versions of its key, rising; 0 where it says nothing."""
        return 0
