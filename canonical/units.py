"""Units of measure: UN/ECE Recommendation 20/21 codes and the X12 element 355 crosswalk."""

from __future__ import annotations

UNITS: dict[str, str] = {
    "C62": "one",
    "EA": "each",
    "PR": "pair",
    "DZN": "dozen",
    "KGM": "kilogram",
    "LBR": "pound",
    "XCT": "carton",
    "XCS": "case",
    "XPX": "pallet",
    "XBX": "box",
    "XPK": "package",
}
"""Rec 20 common code -> its name in plain words."""

X12_TO_REC20: dict[str, str] = {
    "EA": "EA",
    "PR": "PR",
    "DZ": "DZN",
    "KG": "KGM",
    "LB": "LBR",
    "CT": "XCT",
    "CA": "XCS",
    "PL": "XPX",
    "BX": "XBX",
    "PK": "XPK",
}
"""X12 element 355 code -> Rec 20 common code."""
