"""The ledger and the targets' own lists in two words a side: how many there are, and a hash of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from hub.reconcile import delivery_facts, ledger_vs_target, statement_facts
from hub.reconcile.ledger_vs_target import Statement, Total


@dataclass(frozen=True, slots=True)
class Compared:
    """What a list is about, and both sides of it."""

    statement: Statement
    ours: Total
    theirs: Total

    def as_dict(self) -> dict[str, Any]:
        """Return it as one row."""
        said = self.statement
        return {
            "target": said.target,
            "action": said.action,
            "since": said.since,
            "until": said.until,
            "ours": self.ours.count,
            "theirs": self.theirs.count,
            "our_sha256": self.ours.sha256,
            "their_sha256": self.theirs.sha256,
            "same": self.ours == self.theirs,
        }


async def compared(connection: AsyncConnection) -> list[Compared]:
    """Return both sides of every list that a target gave us."""
    found = []
    for statement in await statement_facts.statements(connection):
        ours, theirs = await delivery_facts.both_sides(connection, statement)
        # In a thread: a list may be long, and the hub's event loop goes on meanwhile.
        sides = await asyncio.to_thread(ledger_vs_target.totals, statement, ours, theirs)
        found.append(Compared(statement, *sides))
    return found
