"""What a polled page means, and how sales documents are written. Pure.

A page is Business Central's collection: ``{"@odata.context": ..., "value": [row, ...]}``. Every row is
one source document; a row of ``items`` is two: the card (``items``) and its stock
(``items_inventory``). Where a row stands is ``value[<n>]``, from 0.

Refusals: the codes of `connectors.json_body`, and

- ``flow_unknown``: the receipt is no page of a flow that is polled;
- ``value_missing``: there is no ``value``, or it is no list;
- ``row_not_an_object``: one row is something else than an object.
"""

from __future__ import annotations

from typing import Any

from canonical.errors import Rejected
from connectors.base import Decoded, Json, Numbers, Receipt, Refusal, SourceDocument
from connectors.business_central.odata import UNPOSTED, dumps
from connectors.json_body import read_object

INBOUND = ("customers", "items", "items_inventory", "salesInvoices")
OUTBOUND = ("salesOrder", "salesOrderChange", "salesShipment")

_POLLED = {
    "customers": ("customers",),
    "items": ("items", "items_inventory"),
    "salesInvoices": ("salesInvoices",),
}
"""Polled collection -> the source documents of each of its rows."""
_STOCKED = "Inventory"


class BusinessCentralCodec:
    """A `connectors.base.Codec`."""

    def decode(self, receipt: Receipt) -> Decoded:
        """See `connectors.base.Codec`; `receipt.flow` is the polled collection."""
        try:
            rows = _rows(receipt)
        except Rejected as error:
            return Decoded((Refusal(0, error.where, error, receipt.flow),))
        control = {"polled_at": receipt.received_at.isoformat()}
        documents: list[SourceDocument | Refusal] = []
        for index, row in enumerate(rows):
            where = f"value[{index}]"
            if not isinstance(row, dict):
                refused = Rejected("row_not_an_object", where, "expected an object")
                documents.append(Refusal(len(documents), where, refused, receipt.flow))
                continue
            documents += [
                SourceDocument(flow, len(documents) + n, where, row, control)
                for n, flow in enumerate(_flows(receipt.flow, row))
            ]
        return Decoded(tuple(documents))

    def encode(self, flow: str, body: Json, numbers: Numbers) -> bytes:  # noqa: ARG002
        """See `connectors.base.Codec`: sorted JSON, decimal text as exact JSON numbers."""
        if flow not in OUTBOUND:
            raise Rejected("flow_unknown", "", f"expected one of {', '.join(OUTBOUND)}")
        return dumps(body)


def _rows(receipt: Receipt) -> list[Any]:
    if receipt.flow not in _POLLED:
        raise Rejected("flow_unknown", "", f"expected one of {', '.join(_POLLED)}")
    value = read_object(receipt.body).get("value")
    if not isinstance(value, list):
        raise Rejected("value_missing", "value", "expected a list of rows")
    return value


def _flows(polled: str, row: Json) -> tuple[str, ...]:
    """The documents of one row: services have no stock, unposted invoices are none yet."""
    if polled == "items" and row.get("type", _STOCKED) != _STOCKED:
        return ("items",)
    if polled == "salesInvoices" and row.get("status") in UNPOSTED:
        return ()
    return _POLLED[polled]
