"""What people do with findings: give them to somebody, or let them be. Every act is in the audit trail.

Codes: those of `hub.ledger.findings.lock`; ``owner_invalid``, ``reason_missing``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.ledger import audit, findings
from hub.release.holds import Act

_LONGEST_OWNER = 80


async def assign(connection: AsyncConnection, name: str, owner: str, act: Act) -> dict[str, Any]:
    """Give a finding to somebody; it stays theirs for as long as it is open. Return it.

    Args:
        connection: inside a transaction.
        name: the finding's id, or the start of it.
        owner: whose it is from now on.
        act: who does it, and why.

    Raises:
        Rejected: the finding is unknown or closed, the name no name, or there is no reason.
    """
    if not owner.isprintable() or not 1 <= len(owner.strip()) <= _LONGEST_OWNER:
        raise Rejected("owner_invalid", "owner", f"expected 1 to {_LONGEST_OWNER} characters")
    return await _change(connection, name, {"owner": owner.strip()}, ("finding.assign", act))


async def accept(connection: AsyncConnection, name: str, act: Act) -> dict[str, Any]:
    """Let a finding stay as it is: not open, not healed, closed by itself once it is gone.

    Args and errors as of `assign`.
    """
    return await _change(connection, name, {"state": "accepted"}, ("finding.accept", act))


async def _change(
    connection: AsyncConnection, name: str, values: dict[str, str], done: tuple[str, Act]
) -> dict[str, Any]:
    action, act = done
    if not act.reason.strip():
        raise Rejected("reason_missing", "reason", "it goes into the audit trail")
    row = await findings.lock(connection, name)
    await findings.write(connection, row["id"], **values)
    before = {column: row[column] for column in values}
    entry = audit.Entry(act.actor, action, row["id"], act.reason, before, dict(values))
    await audit.append(connection, entry, act.at)
    return dict(row) | values
