"""What EDI sets and messages cannot carry of a canonical document, and why: all of it."""

from __future__ import annotations

LOST: dict[str, dict[str, str]] = {
    "x12/order/850": {
        "extensions": "allowances and terms are kept as text, for people",
        "lines.extensions": "the same",
    },
    "x12/order_response/855": {
        "lines.extensions": "other dates of an answer, and sub-lines, are kept as text, for people",
    },
    "x12/order/940": {
        "buyer": "a 940 names whom to ship to; who bought is the depositor's own affair",
        "ordered_on": "a 940 has no day of the order: the day on which it came counts",
    },
    "x12/shipment/945": {
        "extensions": "units are counted anew",
        "packages.id": "several marks of one loop become loops of their own",
    },
    "x12/stock_adjustment/947": {
        "warehouse": "a 947 that names no warehouse is written with our code of the site",
    },
    "x12/inventory/846": {
        "available": "where only what is on hand was said, that is written as available too",
    },
    "edifact/order/ORDERS": {
        "extensions": "allowances and terms are kept as text, for people",
        "lines.extensions": "so are sub-lines and quantities of other kinds",
    },
    "edifact/order_response/ORDRSP": {
        "lines.answers.code": "a line that says only how much will come is written as accepted (5)",
    },
    "edifact/receiving_advice/RECADV": {
        "lines.extensions": "QVR is kept as text, for people",
    },
    "edifact/invoice/INVOIC": {
        "extensions": "the tax is written where there is any, also where none was said",
    },
}
"""``system/entity/flow`` -> field -> why it is not the same after a round trip."""

NOT_WRITTEN: dict[str, str] = {
    "edifact-IFTSTA.tracking-own_status": "status_unsupported",
}
"""Case -> the code with which writing refuses what may be read."""
