"""The books of the one company: rows by id, indexed by what integrations ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox import schema
from sandbox.journal import Entry
from sandbox.json_text import Row
from sandbox.schema import Entity


class Collection:
    """The rows of one record type, in order of creation."""

    def __init__(self, entity: Entity, indexed: Iterable[str] = ()) -> None:
        self.entity = entity
        self._rows: dict[str, Row] = {}
        self._indexes: dict[str, dict[Any, dict[str, None]]] = {field: {} for field in indexed}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, row_id: str) -> Row | None:
        """One row by its id, or None."""
        return self._rows.get(row_id.lower())

    def put(self, row: Row) -> None:
        """Insert or replace a row."""
        row_id = row["id"]
        self.remove(row_id, keep_place=True)
        self._rows[row_id] = row
        for field, index in self._indexes.items():
            index.setdefault(self.entity.value(row, field), {})[row_id] = None

    def remove(self, row_id: str, *, keep_place: bool = False) -> None:
        """Take a row out; nothing happens where there is none."""
        row = self._rows.get(row_id) if keep_place else self._rows.pop(row_id, None)
        if row is None:
            return
        for field, index in self._indexes.items():
            value = self.entity.value(row, field)
            index[value].pop(row_id, None)
            if not index[value]:
                del index[value]

    def find(self, **equals: Any) -> list[Row]:
        """Rows whose fields have these values; no scan where one of the fields is indexed."""
        return [
            row
            for row in self.candidates(equals)
            if all(self.entity.value(row, name) == value for name, value in equals.items())
        ]

    def candidates(self, equals: Mapping[str, Any]) -> list[Row]:
        """Narrow down to the rows that an index says can match; otherwise all rows."""
        for field, index in self._indexes.items():
            if field in equals:
                return [self._rows[row_id] for row_id in index.get(equals[field], ())]
        return list(self._rows.values())


class Company:
    """Everything Business Central keeps, rebuilt from the journal's entries.

    Effects: ``sales_order_created``, ``sales_order_changed``, ``sales_order_deleted``,
    ``shipment_posted``, ``invoice_posted``, ``item_changed``, ``customer_changed``,
    ``tokens_revoked``.
    """

    system = "business_central"

    def __init__(self, company: Row, customers: Iterable[Row], items: Iterable[Row]) -> None:
        self.row = company
        self.customers = Collection(schema.CUSTOMER, ("number",))
        self.items = Collection(schema.ITEM, ("number",))
        self.orders = Collection(schema.SALES_ORDER, ("externalDocumentNumber", "number"))
        self.order_lines = Collection(schema.SALES_ORDER_LINE, ("documentId",))
        posted = ("externalDocumentNumber", "orderNumber", "number")
        self.invoices = Collection(schema.SALES_INVOICE, (*posted, "orderId"))
        self.invoice_lines = Collection(schema.SALES_INVOICE_LINE, ("documentId",))
        self.shipments = Collection(schema.SALES_SHIPMENT, posted)
        self.shipment_lines = Collection(schema.SALES_SHIPMENT_LINE, ("documentId",))
        self._posted = {
            "shipment": (self.shipments, self.shipment_lines),
            "invoice": (self.invoices, self.invoice_lines),
        }
        self._cards = {"item": self.items, "customer": self.customers}
        self.orders_ever = 0
        """How many orders were ever created: the number series goes on after a deletion."""
        self.token_generation = 0
        for customer in customers:
            self.customers.put(customer)
        for item in items:
            self.items.put(item)

    def customer(self, number: str) -> Row | None:
        """A customer by number."""
        return next(iter(self.customers.find(number=number)), None)

    def item(self, number: str) -> Row | None:
        """An item by number."""
        return next(iter(self.items.find(number=number)), None)

    def lines_of(self, order_id: str) -> list[Row]:
        """An order's lines, in sequence."""
        return sorted(self.order_lines.find(documentId=order_id), key=lambda row: row["sequence"])

    def references_of(self, path: str) -> set[str]:
        """The external document numbers of the orders that a request path names by id."""
        found = set()
        for order_id in _guids(path):
            line = self.order_lines.get(order_id)
            order = self.orders.get(line["documentId"] if line else order_id)
            if order is not None:
                found.add(str(order.get("externalDocumentNumber", "")))
        return found

    def apply(self, entry: Entry) -> None:
        """Take one effect into the books: whatever parts the entry carries."""
        self.orders_ever += entry["effect"] == "sales_order_created"
        self.token_generation += entry["effect"] == "tokens_revoked"
        if "order" in entry:
            self._put_order(entry["order"], entry["lines"])
        if "order_gone" in entry:
            self._drop_order(entry["order_gone"])
        for part, (headers, lines) in self._posted.items():
            if part in entry:
                self._post(headers, lines, entry[part], entry["posted"])
        self._move_stock(entry.get("stock", {}))
        for part, rows in self._cards.items():
            if part in entry:
                rows.put(entry[part])

    def _put_order(self, order: Row, lines: list[Row]) -> None:
        kept = {line["id"] for line in lines}
        for line in self.lines_of(order["id"]):
            if line["id"] not in kept:
                self.order_lines.remove(line["id"])
        self.orders.put(order)
        for line in lines:
            self.order_lines.put(line)

    def _drop_order(self, order_id: str) -> None:
        for line in self.lines_of(order_id):
            self.order_lines.remove(line["id"])
        self.orders.remove(order_id)

    def _post(self, headers: Collection, lines: Collection, header: Row, rows: list[Row]) -> None:
        headers.put(header)
        for row in rows:
            lines.put(row)

    def _move_stock(self, changes: Mapping[str, Any]) -> None:
        """Change the stock; `lastModifiedDateTime` stays, inventory is a calculated field there."""
        for number, change in changes.items():
            item = self.item(number)
            if item is not None:
                self.items.put(item | {"inventory": item.get("inventory", 0) + Decimal(change)})


def _guids(path: str) -> list[str]:
    parts = path.replace("(", ")").split(")")
    return [part.lower() for part in parts if len(part) == len(schema.BLANK_GUID)]
