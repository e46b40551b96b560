"""The base of every canonical model: frozen, strict, nothing unnamed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from canonical.decimal_text import DecimalText
from canonical.instant import Instant

__all__ = [
    "Canonical",
    "Code",
    "CountryCode",
    "DecimalText",
    "Document",
    "Extensions",
    "Instant",
    "Purpose",
    "Release",
    "Stamp",
    "Text",
    "stamp",
]


class Canonical(BaseModel):
    """A value of the hub's vocabulary: immutable, no coercion, unknown fields refused."""

    # The string under a field is its description in the published JSON Schema.
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True
    )


# No C0/C1 control characters and no line or paragraph separators: NUL cannot be stored in
# PostgreSQL, and line breaks break EDI.
_ONE_LINE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"

Text = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=f"^{_ONE_LINE}+$")]
"""A short human text on one line, 1 to 256 characters."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=f"^{_ONE_LINE}+$")]
"""An identifier or code exactly as its owner writes it: leading zeros and spaces are kept."""

Release = Annotated[str, StringConstraints(max_length=80, pattern=f"^{_ONE_LINE}*$")]
"""The release number of a blanket order; "" where there is none."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(text: str | None) -> int:
    """Microseconds since 1970 of an RFC 3339 stamp; 0 for None or a stamp that is none.

    Also 0 for a moment before 1970: Business Central writes "never" as year 1.
    """
    at = _read_stamp(text or "")
    return max(0, (at - _EPOCH) // timedelta(microseconds=1)) if at else 0


def _read_stamp(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _is_a_stamp(value: str) -> str:
    if _read_stamp(value) is None:
        raise ValueError("expected a date and time (RFC 3339)")
    return value


Stamp = Annotated[Code, AfterValidator(_is_a_stamp)]
"""A system's own change stamp, kept as written (RFC 3339; without an offset it is UTC).

One that cannot be read is refused: it would count as the oldest, and its update as stale.
"""

MAX_EXTENSIONS = 256
"""Entries that `extensions` of one document or line may hold."""

# Line breaks are welcome here, NUL is not: PostgreSQL cannot store it in JSONB.
_Remark = Annotated[str, StringConstraints(max_length=10_000, pattern=r"^[^\x00]*$")]

# Fields default to it by a factory: a dict as default is copied deeply for every line of an order.
Extensions = Annotated[dict[Code, _Remark], Field(max_length=MAX_EXTENSIONS)]
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

    key_fields: ClassVar[set[str]] = set()
    """The fields that `key_parts` is made of."""

    def key_parts(self) -> tuple[str, str]:
        """(number, release): what, with the partner, makes the business key (ARCHITECTURE.md: Identity)."""
        raise NotImplementedError

    def content(self) -> dict[str, Any]:
        """The document's values without the parts of its key and without envelope facts.

        This is what the content id is computed over: two documents with the same content under
        different keys are twins. A field at its default and an absent field say the same.
        """
        return self.model_dump(exclude_defaults=True, exclude=self.key_fields | {"modified_at"})

    def purpose(self) -> Purpose:
        """Why it was sent; a document that says nothing is an original."""
        return "original"

    def sequence(self) -> int:
        """Where it stands among the versions of its key, rising; 0 where it says nothing."""
        return 0
