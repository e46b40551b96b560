"""Units: from what a document counts in to what the item is counted in, and how that was done.

Counts and weights have factors that hold for every item (UN/ECE Recommendation 20 gives them). How many
pieces a carton holds differs from item to item: only the site's own `reconcile.packs` says it.
Nothing is guessed; what has no factor stays in its own unit, and is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

_COUNTS = {
    "EA": 1, "C62": 1, "H87": 1, "NAR": 1, "HEA": 1, "PR": 2, "DZN": 12, "DPC": 12, "DPR": 24,
    "GRO": 144, "GGR": 1728, "CEN": 100, "HC": 100, "MIL": 1000, "MIO": 1_000_000,
}  # fmt: skip
_MASSES = {
    "KGM": "1", "GRM": "0.001", "MGM": "0.000001", "TNE": "1000", "LBR": "0.45359237",
    "ONZ": "0.028349523125", "STN": "907.18474", "LTN": "1016.0469088",
}  # fmt: skip
_LENGTHS = {
    "MTR": "1", "CMT": "0.01", "MMT": "0.001", "KMT": "1000", "INH": "0.0254", "FOT": "0.3048",
    "YRD": "0.9144",
}  # fmt: skip
_VOLUMES = {
    "LTR": "1", "MLT": "0.001", "MTQ": "1000", "GLL": "3.785411784", "QTL": "0.946352946",
    "PTL": "0.473176473",
}  # fmt: skip
_FACTORS: dict[str, tuple[str, Decimal]] = {
    unit: (kind, Decimal(factor))
    for kind, table in (
        ("count", _COUNTS), ("mass", _MASSES), ("length", _LENGTHS), ("volume", _VOLUMES),
    )
    for unit, factor in table.items()
}  # fmt: skip
"""Unit -> what it measures, and how many of that kind's first unit it is."""

STANDARD = frozenset(_FACTORS)
"""The units that have a factor for every item."""

_ONE = Decimal(1)
_PLACES = 9
"""Thirds of a dozen must add up to a dozen again."""

Packs = Mapping[str, Mapping[str, Decimal]]
"""Item number -> unit -> how many pieces (or other base units) it holds; ``*`` for every item."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """One quantity, turned from a document's unit into the line's."""

    value: Decimal
    unit: str
    to_value: Decimal
    to_unit: str
    factor: Decimal
    """How many `to_unit` one `unit` is."""
    rule: str
    """Where the factor comes from: ``same``, ``standard`` or ``pack``."""


@dataclass(frozen=True, slots=True)
class Units:
    """What may be converted into what."""

    packs: Packs = field(default_factory=dict)

    def convert(self, value: Decimal, unit: str, item: str, to: str) -> Conversion | None:
        """Return the quantity in `to`; None where no factor is known.

        Args:
            value: how many.
            unit: of what, Recommendation 20 or 21.
            item: the item's number, for packs.
            to: the unit that is wanted.
        """
        if unit == to:
            return Conversion(value, unit, value, to, _ONE, "same")
        mine, theirs = self._size(unit, item), self._size(to, item)
        if mine is None or theirs is None or mine[0] != theirs[0]:
            return None
        rule = "pack" if unit not in _FACTORS or to not in _FACTORS else "standard"
        turned = round(value * mine[1] / theirs[1], _PLACES)
        return Conversion(value, unit, turned, to, mine[1] / theirs[1], rule)

    def _size(self, unit: str, item: str) -> tuple[str, Decimal] | None:
        for name in (item, "*"):
            pieces = self.packs.get(name, {}).get(unit)
            if pieces is not None:
                return "count", pieces
        return _FACTORS.get(unit)
