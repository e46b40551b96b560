"""Numbers: the identifiers by which people and systems name a document or a thing."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

from canonical.base import Code


def normalise(number: str) -> str:
    """Make a number comparable: NFKC, upper case, outer blanks off, inner blanks to one.

    Format characters go too: a zero width space copied along with a number from a web page is
    invisible, and would make a second order of the first. Leading zeros and punctuation are kept:
    "0042" and "42" are different orders until a partner's own mapping says otherwise.
    """
    if not number.isascii():
        number = _fold(number)
    return " ".join(number.upper().split())


def _fold(number: str) -> str:
    """NFKC without format characters (Unicode category Cf), in upper case.

    Composed again after the change of case, which can take characters apart: without it the result
    would change when normalised once more.
    """
    visible = "".join(c for c in number if unicodedata.category(c) != "Cf")
    upper = unicodedata.normalize("NFKC", visible).upper()
    return unicodedata.normalize("NFKC", upper)


def _is_a_number(value: str) -> str:
    if not normalise(value):
        raise ValueError("expected a number that is not blank")
    return value


_NOT_BLANK: JsonDict = {"not": {"pattern": r"^\s*$"}}

Number = Annotated[Code, AfterValidator(_is_a_number), Field(json_schema_extra=_NOT_BLANK)]
"""A `Code` that names a document or a thing; blank ones would all be the same business key."""
