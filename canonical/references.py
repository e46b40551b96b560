"""References: the numbers by which other documents and people know this one."""

from __future__ import annotations

from canonical.base import Canonical, Code


class Reference(Canonical):
    """One qualified number that must come back unchanged (X12 REF; UBL cac:*Reference)."""

    kind: Code
    """A plain word (department, store, contract) or an X12 element 128 qualifier (DP, IA ...)."""
    value: Code
    """The number itself (X12 REF02, element 127; UBL cbc:ID)."""
