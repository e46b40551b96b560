"""One example of every canonical document, as it stands in JSON: for schemas, docs and tests."""

from __future__ import annotations

from typing import Any

_DESK = {"seller_sku": "1896-S", "buyer_sku": "AC-77120", "gtin": "09506000134352"}
_CHAIR = {"seller_sku": "1900-S"}
_DOCK = {
    "id": "0421",
    "scheme": "92",
    "gln": "9506000140445",
    "name": "Acme Distribution, Dock 4",
    "address": {
        "lines": ["400 Harbor Way", "Dock 4"],
        "city": "Tacoma",
        "region": "WA",
        "postal_code": "98421",
        "country": "US",
    },
    "contact": {"name": "Receiving", "phone": "+1 253 555 0142"},
}
_ACME = {"id": "ACMEDIST", "scheme": "ZZ", "customer_number": "C10010", "name": "Acme Distribution"}
_REFERENCE = "XDPCVYNDOA7Y"

ORDER: dict[str, Any] = {
    "po_number": "4500017843",
    "buyer": _ACME,
    "ship_to": _DOCK,
    "currency": "USD",
    "ordered_on": "2026-03-02",
    "requested_delivery_on": "2026-03-09",
    "ship_method": "UPSG",
    "lines": [
        {
            "number": "1",
            "item": _DESK,
            "description": "ATHENS Desk",
            "quantity": {"value": "4", "unit": "EA"},
            "unit_price": {"amount": "649.40", "currency": "USD"},
        },
        {
            "number": "2",
            "item": _CHAIR,
            "quantity": {"value": "12", "unit": "EA"},
            "unit_price": {"amount": "125.1", "currency": "USD"},
            "requested_delivery_on": "2026-03-16",
        },
    ],
    "total": {"amount": "4098.80", "currency": "USD"},
    "references": [{"kind": "DP", "value": "0042"}],
    "notes": ["Call the dock one hour ahead."],
    "extensions": {"BEG07": "AC"},
}

ORDER_CHANGE: dict[str, Any] = {
    "po_number": "4500017843",
    "change_sequence": 1,
    "kind": "change",
    "buyer": _ACME,
    "requested_on": "2026-03-03",
    "lines": [
        {"number": "2", "action": "change", "quantity": {"value": "10", "unit": "EA"}},
    ],
}

SHIPMENT: dict[str, Any] = {
    "number": "LS-338120",
    "order_reference": _REFERENCE,
    "po_number": "4500017843",
    "shipped_on": "2026-03-05",
    "ship_from": {"id": "LAKESIDE3PL", "name": "Lakeside 3PL"},
    "ship_to": _DOCK,
    "carrier": "UPSN",
    "tracking_numbers": ["1Z5338FF0107231059"],
    "packages": [
        {
            "id": "1",
            "sscc": "095060001343520017",
            "tracking_number": "1Z5338FF0107231059",
            "weight": {"value": "38.5", "unit": "LBR"},
        }
    ],
    "lines": [
        {
            "number": "1",
            "item": _DESK,
            "ordered": {"value": "4", "unit": "EA"},
            "shipped": {"value": "4", "unit": "EA"},
            "lot": "B2207",
            "serials": ["A77-001", "A77-002", "A77-003", "A77-004"],
            "package": "1",
        }
    ],
}

TRACKING: dict[str, Any] = {
    "tracking_number": "1Z5338FF0107231059",
    "carrier": "UPS",
    "status": "in_transit",
    "updated_at": "2026-03-06T09:14:00Z",
    "estimated_delivery_at": "2026-03-09T17:00:00-08:00",
    "events": [
        {
            "at": "2026-03-05T18:40:00-08:00",
            "status": "in_transit",
            "message": "Departed from facility",
            "city": "Portland",
            "region": "OR",
            "country": "US",
        }
    ],
}

INVOICE: dict[str, Any] = {
    "number": "PS-INV103217",
    "order_reference": _REFERENCE,
    "order_number": "S-ORD101234",
    "issued_on": "2026-03-05",
    "due_on": "2026-04-04",
    "bill_to": {"customer_number": "C10010", "name": "Acme Distribution"},
    "currency": "USD",
    "lines": [
        {
            "number": "10000",
            "item": {"seller_sku": "1896-S"},
            "quantity": {"value": "4", "unit": "EA"},
            "unit_price": {"amount": "649.4", "currency": "USD"},
            "amount": {"amount": "2597.60", "currency": "USD"},
        }
    ],
    "total_without_tax": {"amount": "2597.60", "currency": "USD"},
    "total": {"amount": "2831.38", "currency": "USD"},
    "modified_at": "2026-03-05T22:11:09.5930000Z",
}

INVENTORY: dict[str, Any] = {
    "number": "1896-S",
    "item": {"seller_sku": "1896-S"},
    "on_hand": {"value": "254", "unit": "EA"},
    "available": {"value": "230", "unit": "EA"},
    "modified_at": "2026-03-05T06:00:00Z",
}

ITEM: dict[str, Any] = {
    "number": "1896-S",
    "name": "ATHENS Desk",
    "gtin": "09506000134352",
    "base_unit": "EA",
    "list_price": {"amount": "649.40", "currency": "USD"},
    "modified_at": "2026-02-11T08:30:00Z",
}

CUSTOMER: dict[str, Any] = {
    "number": "C10010",
    "name": "Acme Distribution",
    "currency": "USD",
    "address": {
        "lines": ["12 Market Street"],
        "city": "Seattle",
        "region": "WA",
        "postal_code": "98101",
        "country": "US",
    },
    "modified_at": "2026-01-20T10:00:00Z",
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "order": ORDER,
    "order_change": ORDER_CHANGE,
    "shipment": SHIPMENT,
    "tracking": TRACKING,
    "invoice": INVOICE,
    "inventory": INVENTORY,
    "item": ITEM,
    "customer": CUSTOMER,
}
"""Entity word -> its example."""
