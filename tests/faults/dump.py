"""The ledger and the streams as they are in the end, written out for the checker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nats.js import JetStreamContext

from hub import topology
from tests.faults.world import World

_TABLES = {
    "receipt": "SELECT id, connection, delivery_id, facts ->> 'file' AS file, duplicate_of, "
    "redeliveries FROM receipt",
    "document": "SELECT id, receipt_id, connection, entity, business_key, number, reference, "
    "version, verdict, state, code FROM document WHERE direction = 'in' "
    "AND entity IN ('order', 'order_change') OR direction = 'in' AND state = 'dead'",
    "delivery": "SELECT d.id, d.document_id, d.target, d.action, d.state, d.reference, o.number, "
    "o.version, d.code FROM delivery d JOIN document o ON o.id = d.document_id "
    "WHERE o.entity <> 'acknowledgement'",
    "dead_letter": "SELECT id, stage, code, place, detail, receipt_id, document_id FROM dead_letter",
    "hold": "SELECT id, document_id, kind, state FROM hold",
}


def write(world: World, folder: Path) -> None:
    """Write ``ledger.jsonl``, ``events.jsonl`` and ``commands.json``."""
    with (folder / "ledger.jsonl").open("w") as file:
        for table, query in _TABLES.items():
            for row in world.books.rows(query):
                file.write(json.dumps({"table": table, **row}, default=str) + "\n")
    with (folder / "events.jsonl").open("w") as file:
        for row in _events(world):
            file.write(json.dumps(row) + "\n")
    commands = {"audit": world.command("ledger", "audit"), "dead": world.command("dlq", "list")}
    (folder / "commands.json").write_text(json.dumps(commands))


def _events(world: World) -> list[dict[str, Any]]:
    """Every message of an order on CANONICAL: its id, and the order that it tells of."""

    async def ask(js: JetStreamContext) -> list[dict[str, Any]]:
        found = []
        inbox = await js.subscribe("canonical.order.>", ordered_consumer=True)
        info = await js.stream_info(topology.CANONICAL, subjects_filter="canonical.order.>")
        for _ in range(sum((info.state.subjects or {}).values())):
            message = await inbox.next_msg(timeout=20)
            event = json.loads(message.data)
            found.append({"id": event["id"], "number": event["data"]["po_number"]})
        await inbox.unsubscribe()
        return found

    return world.books.streams(ask)
