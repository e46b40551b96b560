"""The orders of the demo's day, in the words of the sandbox's control side."""

from __future__ import annotations

from typing import Any

PRICES = {
    "1896-S": "1000.80",
    "1900-S": "192.80",
    "1906-S": "281.40",
    "1908-S": "190.10",
    "1920-S": "641.30",
    "1928-S": "54.90",
    "1936-S": "192.80",
    "1996-S": "1397.30",
}
DAY = "2026-11-20"
_NEEDED = "2026-11-27"


def line(sku: str, quantity: str, price: str | None = None, **more: str) -> dict[str, str]:
    """Return one line at the list price, or another."""
    return {"sku": sku, "quantity": quantity, "price": price or PRICES[sku], **more}


def order(number: str, *lines: dict[str, str], **more: Any) -> dict[str, Any]:
    """Return one purchase order."""
    return {
        "number": number,
        "ordered_on": DAY,
        "requested_on": _NEEDED,
        "ship_method": "UPSN",
        "lines": list(lines),
        **more,
    }


def change(number: str, *lines: dict[str, str], sequence: int = 1) -> dict[str, Any]:
    """Return one purchase order change."""
    return {
        "number": number,
        "sequence": sequence,
        "ordered_on": DAY,
        "requested_on": _NEEDED,
        "lines": list(lines),
    }


CLEAN = order("PO-1001", line("1896-S", "2"), line("1928-S", "10"))
CHANGED_QUANTITIES = order("PO-1001", line("1896-S", "3"), line("1928-S", "12"))
TOO_CHEAP = order("PO-1002", line("1900-S", "4", "150.00"))
UNKNOWN_ITEM = order("PO-1003", line("1900-S", "1"), line("9999-X", "1", "10.00"))
THROTTLED = order("PO-1004", line("1906-S", "1"))
UNAVAILABLE = order("PO-1005", line("1908-S", "6"))
LOST_ANSWER = order("PO-1006", line("1920-S", "1"), line("1908-S", "6"))
REFUSED = order("PO-1007", line("1936-S", "4"))
CHANGED = order("PO-1008", line("1928-S", "8"))
CHANGE = change("PO-1008", {"line": "1", "action": "QI", **line("1928-S", "9")})
NEVER_INVOICED = order("PO-1009", line("1996-S", "1"), line("1906-S", "2"))
BAD_UNIT = order("PO-1010", line("1928-S", "1", unit="ZZZZ"))
VOLUME = [
    order(f"NS-{2001 + i}", line("1928-S", str(1 + i)), line("1900-S", str(1 + i % 3)))
    for i in range(12)
]
SHOP_PLAIN = {
    "name": "#1001",
    "lines": [{"sku": "1928-S", "quantity": 2, "price": PRICES["1928-S"]}],
}
SHOP_TWIN = {
    "name": "#1002",
    "po_number": "PO-1001",
    "email": "purchasing@acme.example",
    "company": "Acme Distributors",
    "lines": [
        {"sku": "1896-S", "quantity": 2, "price": PRICES["1896-S"]},
        {"sku": "1928-S", "quantity": 10, "price": PRICES["1928-S"]},
    ],
}
FULFILLED = {
    "acme": [
        "PO-1001",
        "PO-1002",
        "PO-1004",
        "PO-1005",
        "PO-1006",
        "PO-1007",
        "PO-1008",
        "PO-1009",
    ],
    "northside": [each["number"] for each in VOLUME],
    "webshop": ["#1001"],
}
"""Partner -> orders that must end with one sales order, one shipment and one invoice."""
