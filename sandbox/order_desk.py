"""What a client can do to sales orders: each command checks, records its effects, gives the row.

`etag` is the `If-Match` of the request; None where it had none.
"""

from __future__ import annotations

from sandbox import posting, sales_order, schema
from sandbox.body_fields import refused
from sandbox.company import Collection, Company
from sandbox.json_text import Row
from sandbox.odata import ODataError
from sandbox.sales_order import Desk
from sandbox.world import CAUSED_BY, Effect, World


class OrderDesk:
    """The commands; all refusals are `ODataError`."""

    def __init__(self, company: Company, world: World) -> None:
        self._company = company
        self._world = world

    def create_order(self, body: Row) -> Row:
        """Create an order with its lines."""
        order, lines = sales_order.create(body, self._desk())
        self._record("sales_order_created", order, {"order": order, "lines": lines})
        return order

    def change_order(self, order_id: str, etag: str | None, body: Row) -> Row:
        """Change an order's header."""
        order = found(self._company.orders, order_id)
        _check_etag(etag, order)
        lines = self._company.lines_of(order["id"])
        changed = sales_order.change(order, lines, body, self._desk())
        self._record("sales_order_changed", changed, {"order": changed, "lines": lines})
        return changed

    def delete_order(self, order_id: str, etag: str | None) -> None:
        """Delete an order of which nothing is shipped and not invoiced."""
        order = found(self._company.orders, order_id)
        _check_etag(etag, order)
        for line in self._company.lines_of(order["id"]):
            _check_unshipped(line)
        self._record("sales_order_deleted", order, {"order_gone": order["id"]})

    def add_line(self, order_id: str, body: Row) -> Row:
        """Add a line to an order."""
        order = found(self._company.orders, order_id)
        lines = self._company.lines_of(order["id"])
        line = sales_order.create_line(body, order, lines, self._desk())
        self._record_lines(order, [*lines, line])
        return line

    def change_line(self, line_id: str, etag: str | None, body: Row) -> Row:
        """Change a line."""
        order, line = self._line(line_id, etag)
        changed = sales_order.change_line(line, body)
        lines = self._company.lines_of(order["id"])
        self._record_lines(order, [changed if row is line else row for row in lines])
        return changed

    def delete_line(self, line_id: str, etag: str | None) -> None:
        """Delete a line of which nothing is shipped and not invoiced."""
        order, line = self._line(line_id, etag)
        _check_unshipped(line)
        lines = self._company.lines_of(order["id"])
        self._record_lines(order, [row for row in lines if row is not line])

    def ship_and_invoice(self, order_id: str) -> None:
        """Post what the lines say is to be shipped and invoiced."""
        order = found(self._company.orders, order_id)
        lines = self._company.lines_of(order["id"])
        lost = CAUSED_BY.get() == "lose_invoice"
        posted = posting.post(order, lines, self._desk(), lose_invoice=lost)
        self._world.record(*_effects(posted))

    def _line(self, line_id: str, etag: str | None) -> tuple[Row, Row]:
        line = found(self._company.order_lines, line_id)
        _check_etag(etag, line)
        return found(self._company.orders, line["documentId"]), line

    def _desk(self) -> Desk:
        return Desk(self._company, self._world.new_id, self._world.clock())

    def _record(self, effect: str, order: Row, data: Row) -> None:
        reference = order.get("externalDocumentNumber", "")
        self._world.record(Effect("business_central", effect, reference, data))

    def _record_lines(self, order: Row, lines: list[Row]) -> None:
        order = sales_order.touched(order, lines, self._desk())
        self._record("sales_order_changed", order, {"order": order, "lines": lines})


def _effects(posted: posting.Posting) -> list[Effect]:
    """What a posting leaves in the journal; the last effect says what became of the order."""
    reference = posted.order.get("externalDocumentNumber", "")
    data: list[tuple[str, Row]] = []
    for kind, document in (("shipment", posted.shipment), ("invoice", posted.invoice)):
        if document is not None:
            row = {kind: document.header, "posted": document.lines}
            data.append((f"{kind}_posted", row | {"items": posting.moved_items(document)}))
    if posted.shipment is not None:
        data[0][1]["stock"] = posted.stock
    if posted.order_gone:
        data[-1][1]["order_gone"] = posted.order["id"]
    else:
        data[-1][1].update(order=posted.order, lines=posted.lines)
    return [Effect("business_central", effect, reference, row) for effect, row in data]


def found(rows: Collection, row_id: str) -> Row:
    """One row by id.

    Raises:
        ODataError: 404.

    """
    row = rows.get(row_id)
    if row is None:
        raise missing(rows)
    return row


def missing(rows: Collection) -> ODataError:
    """The refusal of an id that is not there."""
    name = rows.entity.type_name
    return ODataError(404, "Internal_RecordNotFound", f"The {name} does not exist.")


def _check_etag(given: str | None, row: Row) -> None:
    if given is None:
        raise ODataError(
            400,
            "BadRequest_InvalidToken",
            "Could not validate the client concurrency token required by the service. Please "
            "provide a valid token in the client request.",
        )
    if given not in {"*", schema.etag(row)}:
        raise ODataError(
            409, "Request_EntityChanged", "Another user has already changed the record."
        )


def _check_unshipped(line: Row) -> None:
    if line.get("shippedQuantity", 0) != line.get("invoicedQuantity", 0):
        raise refused("You cannot delete the line because it is shipped and not invoiced.")
