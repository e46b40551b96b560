"""interchange-gap: interchange numbers that a partner skipped: sent, it seems, and never here.

A pure function. A gap is known by the number behind it: where a part of what is missing comes, the
finding stays for the rest, and closes by itself with the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hub.ledger.interchanges import Gap, sizes
from hub.reconcile.discrepancy import Discrepancy

NAME = "interchange-gap"
OWNER = "edi"
SKIPPED = "the sender skipped interchange numbers"
ASK = "ask the sender for them; `gap_after_hours: 0` where it counts with others together"


def find(gaps: Iterable[Gap], partners: Mapping[str, str]) -> list[Discrepancy]:
    """Return one finding for each gap.

    Args:
        gaps: whose grace period is over.
        partners: connection -> partner.
    """
    return [
        Discrepancy(
            subject=f"interchange/{gap.connection}/{gap.before}",
            since=gap.since,
            cause=SKIPPED,
            remedy=ASK,
            details={
                "first": str(gap.first),
                "last": str(gap.last),
                "missing": str(sizes([gap])),
            },
            partner=partners.get(gap.connection, ""),
        )
        for gap in gaps
    ]
