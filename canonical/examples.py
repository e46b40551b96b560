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

ORDER_RESPONSE: dict[str, Any] = {
    "po_number": "PO-106023",
    "order_reference": _REFERENCE,
    "order_number": "SO-88117",
    "status": "changed",
    "code": "AC",
    "ordered_on": "2026-03-02",
    "responded_on": "2026-03-03",
    "seller": {"id": "LAKESIDE", "scheme": "92", "name": "Lakeside Supply"},
    "ship_to": _DOCK,
    "currency": "USD",
    "lines": [
        {
            "number": "1",
            "item": _DESK,
            "quantity": {"value": "4", "unit": "EA"},
            "unit_price": {"amount": "649.40", "currency": "USD"},
            "answers": [
                {
                    "status": "accepted",
                    "code": "IA",
                    "quantity": {"value": "3", "unit": "EA"},
                    "deliver_on": "2026-03-09",
                },
                {
                    "status": "backordered",
                    "code": "IB",
                    "quantity": {"value": "1", "unit": "EA"},
                    "ship_on": "2026-03-20",
                },
            ],
        }
    ],
    "references": [{"kind": "DP", "value": "0042"}],
}

RECEIVING_ADVICE: dict[str, Any] = {
    "number": "RC-55310",
    "order_reference": _REFERENCE,
    "po_number": "PO-106023",
    "shipment_number": "SH-90017",
    "received_on": "2026-03-09",
    "site": "LAKE",
    "ship_to": {"id": "LAKESIDE3PL", "scheme": "92", "name": "Lakeside 3PL"},
    "carrier": "UPSN",
    "lines": [
        {
            "number": "1",
            "item": _DESK,
            "advised": {"value": "4", "unit": "EA"},
            "received": {"value": "4", "unit": "EA"},
            "lot": "B2207",
            "exceptions": [
                {"condition": "damaged", "code": "01", "quantity": {"value": "1", "unit": "EA"}}
            ],
        }
    ],
}

STOCK_ADJUSTMENT: dict[str, Any] = {
    "number": "ADJ-7712",
    "adjusted_on": "2026-03-10",
    "site": "LAKE",
    "warehouse": {"id": "LAKESIDE3PL", "scheme": "92"},
    "lines": [
        {
            "number": "1",
            "item": {"seller_sku": "1896-S"},
            "quantity": {"value": "-2", "unit": "EA"},
            "reason": "damage",
            "code": "01",
            "note": "Fork lift",
        }
    ],
}

REMITTANCE: dict[str, Any] = {
    "number": "ACH-118207",
    "paid_on": "2026-04-03",
    "total": {"amount": "2780.14", "currency": "USD"},
    "method": "ACH",
    "payer": {"id": "ACMEDIST", "scheme": "ZZ", "name": "Acme Distribution"},
    "items": [
        {
            "kind": "IV",
            "number": "PS-INV103217",
            "paid": {"amount": "2780.14", "currency": "USD"},
            "invoiced": {"amount": "2831.38", "currency": "USD"},
            "discount": {"amount": "28.31", "currency": "USD"},
            "adjustments": [
                {
                    "amount": {"amount": "-22.93", "currency": "USD"},
                    "code": "06",
                    "reference": {"kind": "CM", "value": "CL-19"},
                }
            ],
        }
    ],
}

LOAD_TENDER: dict[str, Any] = {
    "number": "LD-204501",
    "order_reference": _REFERENCE,
    "carrier": "HJBT",
    "payment": "PP",
    "tendered_on": "2026-03-04",
    "respond_by": {"kind": "64", "on": "2026-03-04", "time": "17:00"},
    "weight": {"value": "1840", "unit": "LBR"},
    "stops": [
        {
            "number": 1,
            "reason": "CL",
            "place": {"id": "LAKE", "scheme": "92", "name": "Lakeside 3PL"},
            "role": "SF",
            "appointments": [{"kind": "37", "on": "2026-03-05", "time": "08:00"}],
            "orders": [
                {
                    "reference": _REFERENCE,
                    "po_number": "4500017843",
                    "quantity": {"value": "16", "unit": "XCT"},
                    "weight": {"value": "1840", "unit": "LBR"},
                }
            ],
        },
        {"number": 2, "reason": "CU", "place": _DOCK, "role": "ST"},
    ],
}

TENDER_RESPONSE: dict[str, Any] = {
    "number": "LD-204501",
    "order_reference": _REFERENCE,
    "carrier": "HJBT",
    "status": "accepted",
    "code": "A",
    "responded_on": "2026-03-04",
    "carrier_number": "1253011",
}

APPLICATION_ADVICE: dict[str, Any] = {
    "number": "AA-3304",
    "advised_on": "2026-03-06",
    "documents": [
        {
            "status": "rejected",
            "code": "TR",
            "kind": "IV",
            "number": "PS-INV103217",
            "document_type": "810",
            "group_number": "118",
            "set_number": "0001",
            "errors": [
                {
                    "code": "010",
                    "message": "Total Out of Balance",
                    "segment": "TDS",
                    "position": 14,
                    "element": 1,
                }
            ],
        }
    ],
}

EXAMPLES: dict[str, dict[str, Any]] = {
    "order": ORDER,
    "order_change": ORDER_CHANGE,
    "order_response": ORDER_RESPONSE,
    "shipment": SHIPMENT,
    "receiving_advice": RECEIVING_ADVICE,
    "tracking": TRACKING,
    "invoice": INVOICE,
    "remittance": REMITTANCE,
    "inventory": INVENTORY,
    "stock_adjustment": STOCK_ADJUSTMENT,
    "load_tender": LOAD_TENDER,
    "tender_response": TENDER_RESPONSE,
    "application_advice": APPLICATION_ADVICE,
    "item": ITEM,
    "customer": CUSTOMER,
}
"""Entity word -> its example."""
