"""Units of measure: the codes that the hub knows, and the X12 element 355 crosswalk.

The codes themselves are data in `canonical.rec20` and `canonical.x12_355`.

What is not here is refused with its place rather than guessed: X12 `ZZ` (mutually defined) and the
packs that Recommendation 20 has deleted without a successor (X12 `P4`, `P6`, `P8` ...) mean
something only between two partners, whose own mapping says how many pieces one of them is.
"""

from __future__ import annotations

from canonical import rec20
from canonical.x12_355 import ONLY_FROM_REC20, PREFERRED, SYNONYMS

UNITS: dict[str, str] = {
    **rec20.COUNTS,
    **rec20.MASSES,
    **rec20.LENGTHS_AND_AREAS,
    **rec20.VOLUMES,
    **rec20.TIMES_AND_OTHERS,
    **rec20.PACKAGES,
}
"""Rec 20 common code, or Rec 21 package code with the prefix X -> its name in plain words."""

X12_TO_REC20: dict[str, str] = {**SYNONYMS, **PREFERRED}
"""X12 element 355 code -> Rec 20 common code."""

REC20_TO_X12: dict[str, str] = {
    **{unit: x12 for x12, unit in PREFERRED.items()},
    **ONLY_FROM_REC20,
}
"""Rec 20 common code -> the one X12 element 355 code that we write for it.

Not the inverse of `X12_TO_REC20`: several X12 codes may mean one unit, and some units are more
precise than any X12 code. A unit that is not here cannot be said in X12.
"""
