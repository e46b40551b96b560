"""The rules of a sales order: creating and changing it and its lines. Pure: rows in, rows out.

After the documented behaviour of the pages behind API v2.0: a new quantity sets what is to be
shipped and invoiced; a new quantity to ship sets what is to be invoiced; nothing beyond what is
outstanding may be shipped, nothing beyond what is shipped may be invoiced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sandbox import reference_data, schema
from sandbox.body_fields import check_fields, refused
from sandbox.company import Company
from sandbox.json_text import Row
from sandbox.odata import ODataError

CENT = Decimal("0.01")
LINE_STEP = 10_000
"""Distance between two line numbers, so that lines can be put between."""

LARGEST = Decimal(10) ** 12
"""Amounts above it are refused, so that every amount is exact as a JSON number."""


@dataclass(frozen=True)
class Desk:
    """What the rules need beside the rows: the books, new ids, the moment."""

    company: Company
    new_id: Callable[[], str]
    now: datetime

    @property
    def today(self) -> str:
        """The posting date."""
        return self.now.date().isoformat()

    @property
    def stamp(self) -> str:
        """`lastModifiedDateTime` of what is written now, in milliseconds."""
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def create(body: Row, desk: Desk) -> tuple[Row, list[Row]]:
    """Make a new order with the lines that the body holds (deep insert).

    Raises:
        ODataError: 400, with the product's code.

    """
    lines = body.get("salesOrderLines", [])
    header = {name: value for name, value in body.items() if name != "salesOrderLines"}
    if not isinstance(lines, list):
        raise ODataError(400, "BadRequest", "Invalid Request Body")
    check_fields(header, schema.SALES_ORDER)
    customer = _customer(header, desk.company)
    order = _from_customer(customer) | header
    order |= {
        "id": desk.new_id(),
        "number": f"S-ORD{101001 + desk.company.orders_ever}",
        "customerId": customer["id"],
        "customerNumber": customer["number"],
        "orderDate": header.get("orderDate", desk.today),
        "postingDate": header.get("postingDate", desk.today),
        "partialShipping": header.get("partialShipping", True),
        "status": "Draft",
    }
    rows: list[Row] = []
    for line in lines:
        rows.append(create_line(line, order, rows, desk))
    return touched(order, rows, desk), rows


def change(order: Row, lines: list[Row], body: Row, desk: Desk) -> Row:
    """Apply a PATCH to the header."""
    check_fields(body, schema.SALES_ORDER)
    for name in ("customerId", "customerNumber"):
        if name in body and body[name] != order[name] and lines:
            raise refused("You cannot change the sell-to customer because lines exist.")
    return touched(order | body, lines, desk)


def touched(order: Row, lines: Iterable[Row], desk: Desk) -> Row:
    """Give the order its new version, time and totals."""
    lines = list(lines)
    total = sum((Decimal(line.get("amountExcludingTax", 0)) for line in lines), Decimal(0))
    total -= Decimal(order.get("discountAmount", 0))
    if abs(total) > LARGEST:
        raise refused("The amount is too large.", "Application_EvaluateException")
    return order | {
        "totalAmountExcludingTax": total,
        "totalAmountIncludingTax": total,
        "fullyShipped": bool(lines) and all(outstanding(line) == 0 for line in lines),
        "lastModifiedDateTime": desk.stamp,
        "version": order.get("version", 0) + 1,
    }


def create_line(body: Row, order: Row, others: list[Row], desk: Desk) -> Row:
    """Make a new line of an order."""
    if not isinstance(body, dict):
        raise ODataError(400, "BadRequest", "Invalid Request Body")
    check_fields(body, schema.SALES_ORDER_LINE)
    last = max((row["sequence"] for row in others), default=0)
    line: Row = {"lineType": "Item"} | _object(body, desk.company)
    line |= {"id": desk.new_id(), "documentId": order["id"]}
    line["sequence"] = body.get("sequence") or last + LINE_STEP
    if any(row["sequence"] == line["sequence"] for row in others):
        raise refused("The Sales Line already exists.", "Internal_EntityWithSameKeyExists")
    settings = {name: value for name, value in body.items() if name not in _OBJECT_FIELDS}
    return _set(line | {"shipmentDate": desk.today}, settings)


def change_line(line: Row, body: Row) -> Row:
    """Apply a PATCH to a line."""
    check_fields(body, schema.SALES_ORDER_LINE)
    for name in ("documentId", "sequence", "lineObjectNumber", "itemId", "lineType"):
        if name in body and body[name] != line.get(name):
            raise refused(f'The value for "{name}" cannot be modified.')
    return _set(line, body)


def outstanding(line: Row) -> Decimal:
    """What is ordered and not shipped."""
    return Decimal(line.get("quantity", 0)) - Decimal(line.get("shippedQuantity", 0))


def ready(line: Row) -> Row:
    """Set what is to be shipped and invoiced to all that is open."""
    return _to_invoice(line | {"shipQuantity": outstanding(line)})


def _to_invoice(line: Row) -> Row:
    shipped = Decimal(line.get("shippedQuantity", 0)) + Decimal(line.get("shipQuantity", 0))
    return line | {"invoiceQuantity": shipped - Decimal(line.get("invoicedQuantity", 0))}


def _set(line: Row, body: Row) -> Row:
    """Write the fields in the order in which the product validates them."""
    line = line | {name: value for name, value in body.items() if name not in _QUANTITIES}
    if "unitOfMeasureCode" in body:
        _check_unit(line)
    if min((Decimal(body[name]) for name in _QUANTITIES & body.keys()), default=0) < 0:
        raise refused("The quantity must be positive.", "Application_FieldValidationException")
    if "quantity" in body:
        line = ready(line | {"quantity": Decimal(body["quantity"])})
        if outstanding(line) < 0:
            raise refused("Quantity must not be less than the quantity shipped.")
    if "shipQuantity" in body:
        line = _to_invoice(line | {"shipQuantity": Decimal(body["shipQuantity"])})
    if "invoiceQuantity" in body:
        line = line | {"invoiceQuantity": Decimal(body["invoiceQuantity"])}
    _check_quantities(line)
    return _priced(line) | {"version": line.get("version", 0) + 1}


def _check_quantities(line: Row) -> None:
    ship, invoice = Decimal(line.get("shipQuantity", 0)), Decimal(line.get("invoiceQuantity", 0))
    if ship > outstanding(line):
        raise refused(f"You cannot ship more than {outstanding(line)} units.")
    billable = _to_invoice(line)["invoiceQuantity"]
    if invoice > billable:
        raise refused(f"You cannot invoice more than {billable} units.")


def _priced(line: Row) -> Row:
    gross = Decimal(line.get("quantity", 0)) * Decimal(line.get("unitPrice", 0))
    if abs(gross) > LARGEST:
        raise refused("The amount is too large.", "Application_EvaluateException")
    net = gross.quantize(CENT, ROUND_HALF_UP) - Decimal(line.get("discountAmount", 0))
    amounts = ("amountExcludingTax", "amountIncludingTax", "netAmount", "netAmountIncludingTax")
    return line | dict.fromkeys(amounts, net)


def _check_unit(line: Row) -> None:
    if line["lineType"] == "Item" and line["unitOfMeasureCode"] != reference_data.BASE_UNIT:
        raise refused(
            "The field Unit of Measure Code of table Sales Line contains a value that cannot be "
            "found in the related table (Item Unit of Measure).",
            "Internal_InvalidTableRelation",
        )


def _object(body: Row, company: Company) -> Row:
    """What a line sells: an item, a G/L account, or nothing but text."""
    kind, number_ = body.get("lineType", "Item"), body.get("lineObjectNumber", "")
    if kind == "Comment":
        return {"lineType": kind}
    if kind == "Account":
        if number_ not in reference_data.ACCOUNTS:
            raise refused("Account does not exist.")
        name = reference_data.ACCOUNTS[number_]
        return {"lineType": kind, "lineObjectNumber": number_, "description": name}
    item = company.items.get(body["itemId"]) if "itemId" in body else company.item(number_)
    if kind != "Item" or item is None:
        raise refused("Item does not exist.")
    if item.get("blocked"):
        raise refused(f"You cannot sell item {item['number']} because it is blocked.")
    return {
        "itemId": item["id"],
        "lineObjectNumber": item["number"],
        "description": item["displayName"],
        "unitOfMeasureCode": item["baseUnitOfMeasureCode"],
        "unitOfMeasureId": item["baseUnitOfMeasureId"],
        "unitPrice": item["unitPrice"],
    }


_OBJECT_FIELDS = {"documentId", "sequence", "itemId", "lineType", "lineObjectNumber"}
_QUANTITIES = {"quantity", "shipQuantity", "invoiceQuantity"}


def _customer(header: Row, company: Company) -> Row:
    if not (header.get("customerNumber") or header.get("customerId")):
        raise refused('A "customerNumber" or a "customerId" must be provided.')
    if header.get("customerId"):
        customer = company.customers.get(header["customerId"])
    else:
        customer = company.customer(header["customerNumber"])
    if customer is None:
        raise refused("The sell-to customer cannot be found.")
    if header.get("customerNumber", customer["number"]) != customer["number"]:
        raise refused("The sell-to customer values do not match to a specific Customer.")
    if customer["blocked"] == "All":
        raise refused(
            "You cannot create this type of document when Customer "
            f"{customer['number']} is blocked with type All."
        )
    return customer


def _from_customer(customer: Row) -> Row:
    parts = {
        "AddressLine1": "addressLine1", "AddressLine2": "addressLine2", "City": "city",
        "State": "state", "Country": "country", "PostCode": "postalCode",
    }  # fmt: skip
    row = {"customerName": customer["displayName"], "currencyCode": customer["currencyCode"]}
    row |= {"billToCustomerId": customer["id"], "billToCustomerNumber": customer["number"]}
    for prefix in ("sellTo", "billTo", "shipTo"):
        row |= {f"{prefix}{part}": customer.get(name, "") for part, name in parts.items()}
    return row | dict.fromkeys(("billToName", "shipToName"), customer["displayName"])
