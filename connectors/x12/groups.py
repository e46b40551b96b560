"""Which transaction sets a functional group carries (GS01, element 479)."""

from __future__ import annotations

GROUPS = {
    "PO": ("850",),
    "PC": ("860",),
    "PR": ("855",),
    "OW": ("940",),
    "AR": ("943",),
    "RE": ("944",),
    "SW": ("945",),
    "AW": ("947",),
    "IB": ("846",),
    "SH": ("856",),
    "IN": ("810",),
    "IM": ("210",),
    "QM": ("214",),
    "SM": ("204",),
    "GF": ("990",),
    "RA": ("820",),
    "FA": ("997", "999"),
    "AG": ("824",),
}
"""Functional group (GS01, element 479) -> the transaction sets that partners may send in it."""
