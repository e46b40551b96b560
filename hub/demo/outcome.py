"""The outcome: the hub's own account beside what the emulated world's journal says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hub.demo.stage import Stage
from hub.demo.story import expected_references
from hub.ledger import account
from hub.ledger.tables import document, finding

_LISTED = ("order", "order_change", "unknown")
_EFFECTS = ("sales_order_created", "warehouse_order_received", "shipment_posted", "invoice_posted")
"""What every fulfilled order leaves behind in the emulated systems."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures, and one line per document for people."""

    figures: dict[str, Any]
    documents: list[dict[str, Any]]
    effects: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as one object."""
        return {**self.figures, "documents": self.documents, "effects": self.effects}

    @property
    def good(self) -> bool:
        """Whether nothing was lost, nothing took effect twice, and the account balances."""
        return (
            self.figures["lost"] == 0
            and self.figures["double_effects"] == 0
            and bool(self.figures["balance"]["adds_up"])
        )


async def outcome(stage: Stage) -> Outcome:
    """Add everything up."""
    journal = await stage.journal()
    doubles = (await stage.ask("double-effects"))["double_effects"]
    async with stage.engine.connect() as ledger:
        balances = await account.balances(ledger)
        verdicts = await account.verdicts(ledger)
        handled = await account.handled(ledger)
        healed = await _findings(ledger)
        documents = await _documents(ledger)
    total = balances["total"]
    figures = {
        "received": total.received,
        "accepted": verdicts.get("accept", 0) + verdicts.get("change", 0),
        "duplicates": total.duplicate,
        "conflicts": verdicts.get("conflict", 0),
        "twins": verdicts.get("twin", 0),
        "orphans": verdicts.get("orphan", 0),
        "held": total.held,
        "held_ever": handled["held_ever"],
        "released": handled["released"],
        "delivered": total.delivered,
        "dead": total.dead,
        "dead_ever": handled["dead_ever"],
        "replayed": handled["replayed"],
        "rejected": total.rejected,
        "ship_not_invoiced": healed,
        "lost": len(lost(journal)),
        "double_effects": len(doubles),
        "balance": total.as_dict(),
        "balance_by_entity": {
            name: balance.as_dict() for name, balance in balances.items() if name != "total"
        },
    }
    effects = Counter(entry["effect"] for entry in journal)
    return Outcome(figures, documents, {name: effects[name] for name in sorted(effects)})


def lost(journal: list[dict[str, Any]]) -> list[str]:
    """Return orders that lack an effect that they must have had, by the journal alone."""
    had = {(entry["reference"], entry["effect"]) for entry in journal}
    return [
        f"{number} {effect}"
        for number, reference in expected_references().items()
        for effect in _EFFECTS
        if (reference, effect) not in had
    ]


async def _findings(ledger: Any) -> dict[str, int]:
    rows = await ledger.execute(sa.select(finding.c.state, finding.c.redrives))
    states = [(row.state, row.redrives) for row in rows]
    healed = sum(state == "closed" and redrives > 0 for state, redrives in states)
    return {"found": len(states), "healed": healed}


async def _documents(ledger: Any) -> list[dict[str, Any]]:
    """Return one line per order, change and unreadable document, with what followed from it."""
    names = ("entity", "number", "partner", "verdict", "state", "code", "reference", "canonical")
    result = await ledger.execute(
        sa.select(*(document.c[name] for name in names))
        .where(document.c.direction == "in")
        .order_by(document.c.created_at, document.c.position)
    )
    rows = [dict(row) for row in result.mappings()]
    followed = _followed(rows)
    return [
        {name: row[name] for name in names if name != "canonical"}
        | (followed.get(row["reference"], {}) if row["state"] == "delivered" else {})
        for row in rows
        if row["entity"] in _LISTED
    ]


def _followed(rows: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return our reference -> the numbers of its shipments and invoices, and where the goods are."""
    tracked = {
        row["number"]: row["canonical"]["status"] for row in rows if row["entity"] == "tracking"
    }
    followed: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["entity"] in ("shipment", "invoice"):
            entry = followed.setdefault(row["reference"], {})
            numbers = [entry.get(row["entity"], ""), row["number"]]
            entry[row["entity"]] = " ".join(filter(None, numbers))
        if row["entity"] == "shipment":
            packages = row["canonical"].get("packages", ())
            codes = {package.get("tracking_number") for package in packages}
            codes |= set(row["canonical"].get("tracking_numbers", ()))
            entry["parcel"] = ", ".join(
                sorted({tracked[code] for code in codes if code in tracked})
            )
    return followed
