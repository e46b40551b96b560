"""A ledger of many orders that were ordered, shipped and billed, written by PostgreSQL itself."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

NOW = datetime(2026, 5, 5, tzinfo=UTC)
MISSING = 12_345
"""The order whose invoice never came."""

_DOCUMENTS = """
INSERT INTO document (id, direction, receipt_id, connection, partner, entity, flow, business_key,
    content_id, version, purpose, verdict, state, number, po_key, reference, currency, canonical,
    created_at)
SELECT entity || '-' || n, 'in', 'r-' || entity || '-' || n, 'acme-edi', 'acme', entity, 'test',
    entity || '/acme/' || prefix || n || '/', 'c-' || entity || n, 1, 'original', 'accept',
    'delivered', prefix || n, CASE entity WHEN 'order' THEN 'po/acme/' || n END, 'XD' || n, 'USD',
    (CASE entity WHEN 'order' THEN jsonb_build_object('lines', jsonb_build_array(line
            || '{"quantity": {"value": "7", "unit": "EA"}, "unit_price": {"amount": "10"}}'))
        WHEN 'shipment' THEN jsonb_build_object(
            'packages', jsonb_build_array(jsonb_build_object('sscc', 'SSCC' || n)),
            'tracking_numbers', jsonb_build_array('1Z' || n),
            'lines', jsonb_build_array(
                line || '{"shipped": {"value": "4", "unit": "EA"}}',
                line || '{"shipped": {"value": "3", "unit": "EA"}}'))
        ELSE jsonb_build_object('lines', jsonb_build_array(
            line || '{"quantity": {"value": "7.0", "unit": "EA"}}')) END),
    $2::timestamptz - interval '2 days' - n * interval '1 second'
FROM generate_series(1, $1::int) AS n
CROSS JOIN (VALUES ('order', 'PO-'), ('shipment', 'S-'), ('invoice', 'INV-')) AS e(entity, prefix)
CROSS JOIN LATERAL (SELECT jsonb_build_object('number', '1', 'item',
    jsonb_build_object('seller_sku', 'SKU-' || n % 500)) AS line) AS l
WHERE NOT (entity = 'invoice' AND n = $3::int)
"""
_DELIVERIES = """
INSERT INTO delivery (id, document_id, target, action, flow, business_key, state, reference,
    external_id, facts, created_at, settled_at)
SELECT action || n, entity || '-' || n, 'bc', action, 'test', entity || n, 'delivered', 'XD' || n,
    action || '-at-bc-' || n, jsonb_build_object('number', 'SO-' || entity || n),
    $2::timestamptz - interval '2 days', $2::timestamptz - interval '1 day' - n * interval '1 second'
FROM generate_series(1, $1::int) AS n
CROSS JOIN (VALUES ('order', 'create_order'), ('shipment', 'post_shipment')) AS e(entity, action)
"""


async def fill(connection: AsyncConnection, orders: int) -> None:
    """Write so many orders, each shipped whole and, but for `MISSING`, billed whole."""
    await connection.exec_driver_sql(_DOCUMENTS, (orders, NOW, MISSING))
    await connection.exec_driver_sql(_DELIVERIES, (orders, NOW))
