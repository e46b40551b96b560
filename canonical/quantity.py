"""Quantities: an exact number in a UN/ECE Recommendation 20 unit."""

from __future__ import annotations

from typing import Annotated

from typing_extensions import TypeAliasType  # in typing from Python 3.12; comes with pydantic

from canonical.base import Canonical, DecimalText
from canonical.code_list import OneOf
from canonical.units import UNITS

Unit = TypeAliasType(
    "Unit",
    Annotated[
        str,
        OneOf(
            tuple(UNITS),
            "unit_unknown",
            "expected a UN/ECE Recommendation 20 or 21 unit code that the hub knows",
        ),
    ],
)
"""UN/ECE Recommendation 20 (or 21, for packages) common code; `canonical.units.UNITS` lists them."""


class Quantity(Canonical):
    """How many of what unit (UBL cbc:Quantity with @unitCode; X12 elements 380 and 355)."""

    value: DecimalText
    """How many; the sign is the sender's (X12 elements 330, 380)."""
    unit: Unit
    """UBL @unitCode; X12 element 355 through `canonical.units.X12_TO_REC20`."""
