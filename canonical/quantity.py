"""Quantities: an exact number in a UN/ECE Recommendation 20 unit."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from canonical.base import Canonical, DecimalText
from canonical.units import UNITS


def _unit(value: str) -> str:
    if value not in UNITS:
        raise ValueError("expected a UN/ECE Recommendation 20 or 21 unit code that the hub knows")
    return value


Unit = Annotated[str, AfterValidator(_unit)]
"""UN/ECE Recommendation 20 (or 21, for packages) common code; `canonical.units.UNITS` lists them."""


class Quantity(Canonical):
    """How many of what unit (UBL cbc:Quantity with @unitCode; X12 elements 380 and 355)."""

    value: DecimalText
    unit: Unit
