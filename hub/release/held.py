"""What a person must see of a hold before deciding: the items it is about, what it would change.

Code: ``order_shipped`` (of `check_release`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.differences import between
from hub.ledger.shipped import shipped
from hub.ledger.tables import document, key_head
from hub.release.holds import order_in_force

WARNINGS = {
    "order_shipped": "the order has been shipped: the target will usually refuse a change to it",
}
_LINE = re.compile(r"lines\[(\d{1,6})\]")
_NAMES = ("seller_sku", "buyer_sku", "gtin")
_CHANGES = ("order_change",)


async def view(connection: AsyncConnection, hold: Mapping[str, Any]) -> dict[str, Any]:
    """Return a hold, each reason with its ``item``, ``differences`` and ``warnings``.

    Differences are those of a conflict: ``where``, ``in_force``, ``held``.

    Args:
        connection: to the ledger.
        hold: as `holds.find` gives it.
    """
    query = sa.select(document.c.canonical).where(document.c.id == hold["document_id"])
    mine = await connection.scalar(query) or {}
    reasons = [reason | {"item": _item(mine, reason["where"])} for reason in hold["reasons"]]
    return dict(hold) | {
        "reasons": reasons,
        "differences": await _differences(connection, hold, mine),
        "warnings": await _warnings(connection, hold),
    }


async def check_release(connection: AsyncConnection, hold: Mapping[str, Any]) -> None:
    """Return if releasing the hold will probably go well.

    Raises:
        Rejected: ``order_shipped``.
    """
    for warning in await _warnings(connection, hold):
        raise Rejected(warning, hold["number"] or "", f"{WARNINGS[warning]}; or give --anyway")


async def _warnings(connection: AsyncConnection, hold: Mapping[str, Any]) -> list[str]:
    changes = hold["kind"] == "conflict" or hold["entity"] in _CHANGES
    if changes and hold["state"] == "open" and await shipped(connection, hold["document_id"]):
        return ["order_shipped"]
    return []


def _item(canonical: Mapping[str, Any], where: str) -> str:
    """Return the item of the line that a reason points to, in our number if it has one."""
    found = _LINE.match(where)
    lines = canonical.get("lines") or []
    if found is None or int(found[1]) >= len(lines):
        return ""
    item = lines[int(found[1])].get("item") or {}
    return next((str(item[name]) for name in _NAMES if item.get(name)), "")


async def _differences(
    connection: AsyncConnection, hold: Mapping[str, Any], mine: Mapping[str, Any]
) -> list[dict[str, str | None]]:
    if hold["kind"] != "conflict":
        return []
    before = await _in_force(connection, hold)
    if before is None:
        return []
    found = between(before, orjson.dumps(mine))
    return [{"where": each.where, "in_force": each.left, "held": each.right} for each in found]


async def _in_force(connection: AsyncConnection, hold: Mapping[str, Any]) -> bytes | None:
    if hold["entity"] == "order":
        try:
            order = await order_in_force(connection, hold["business_key"])
        except Rejected:
            return None
        return order.model_dump_json(exclude_none=True).encode()
    query = sa.select(document.c.canonical).join(key_head, key_head.c.document_id == document.c.id)
    canonical = await connection.scalar(
        query.where(key_head.c.business_key == hold["business_key"])
    )
    return None if canonical is None else orjson.dumps(canonical)
