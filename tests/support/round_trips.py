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
    "edifact/invoice/INVOIC": {
        "extensions": "the tax is written where there is any, also where none was said",
    },
}
"""``system/entity/flow`` -> field -> why it is not the same after a round trip."""

NOT_WRITTEN: dict[str, str] = {}
"""Case -> the code with which writing refuses what may be read."""
