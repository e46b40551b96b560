"""The record types of Business Central API v2.0 as tables: field, kind, who may write it.

Source: "API(v2.0) for Business Central", resource types company, customer, item, salesOrder,
salesOrderLine, salesInvoice, salesInvoiceLine, salesShipment, salesShipmentLine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.json_text import Row

BLANK_GUID = "00000000-0000-0000-0000-000000000000"
BLANK_DATE = "0001-01-01"
"""How the API writes a date that is not set."""
BLANK_TIME = "0001-01-01T00:00:00Z"

BLANKS: dict[str, Any] = {
    "guid": BLANK_GUID,
    "text": "",
    "date": BLANK_DATE,
    "datetime": BLANK_TIME,
    "decimal": 0,
    "integer": 0,
    "boolean": False,
}
"""Kind of field -> what stands there when nothing was ever set."""


@dataclass(frozen=True, slots=True)
class Field:
    """One property: its kind (a key of `BLANKS`), whether a client may set it, its longest text."""

    kind: str
    editable: bool = False
    size: int = 0


@dataclass(frozen=True)
class Entity:
    """One record type and how its rows look from outside."""

    type_name: str
    """Such as ``salesOrder``; the collection has its own name."""
    fields: Mapping[str, Field]
    key: str
    """The field that orders rows where a query names no other."""

    def value(self, row: Row, field: str) -> Any:
        """What stands in a field, blank where it was never set."""
        found = row.get(field)
        return BLANKS[self.fields[field].kind] if found is None else found

    def reader(self, field: str) -> Callable[[Row], Any]:
        """How to read a field so that it compares with a literal of its kind."""
        if self.fields[field].kind == "datetime":
            return lambda row: datetime.fromisoformat(self.value(row, field))
        return lambda row: self.value(row, field)

    def render(self, row: Row, select: frozenset[str] = frozenset()) -> Row:
        """Write the row as the API shows it, with its etag; `select` empty means all fields."""
        names = [name for name in self.fields if not select or name in select]
        return {"@odata.etag": etag(row)} | {name: self.value(row, name) for name in names}


def etag(row: Row) -> str:
    """The weak entity tag of a row; another one after every change of it."""
    return f'W/"JzE5O{row["id"].replace("-", "")}{row.get("version", 0)};MDsn"'


def _texts(*names: str, size: int = 0, editable: bool = False) -> dict[str, Field]:
    return {name: Field("text", editable=editable, size=size) for name in names}


def _kind(kind: str, *names: str, editable: bool = False) -> dict[str, Field]:
    return {name: Field(kind, editable=editable) for name in names}


def _address(prefix: str, *, editable: bool) -> dict[str, Field]:
    sizes = {"AddressLine1": 100, "AddressLine2": 50, "City": 30, "Country": 10, "State": 30}
    sizes["PostCode"] = 20
    return {f"{prefix}{part}": Field("text", editable, size) for part, size in sizes.items()}


COMPANY = Entity(
    "company",
    _kind("guid", "id")
    | _texts("systemVersion", "name", "displayName", "businessProfileId")
    | _kind("datetime", "systemCreatedAt", "systemModifiedAt"),
    "name",
)

CUSTOMER = Entity(
    "customer",
    _kind("guid", "id")
    | _texts("number", "displayName", "type", "addressLine1", "addressLine2", "city", "state")
    | _texts("country", "postalCode", "phoneNumber", "email", "website", "salespersonCode")
    | _kind("decimal", "balanceDue", "creditLimit")
    | _kind("boolean", "taxLiable")
    | _texts("taxRegistrationNumber", "currencyCode")
    | _kind("guid", "currencyId", "paymentTermsId", "shipmentMethodId", "paymentMethodId")
    | _texts("blocked")
    | _kind("datetime", "lastModifiedDateTime"),
    "number",
)

ITEM = Entity(
    "item",
    _kind("guid", "id")
    | _texts("number", "displayName", "displayName2", "type", "itemCategoryCode", "gtin")
    | _kind("boolean", "blocked")
    | _kind("decimal", "inventory", "unitPrice", "unitCost")
    | _kind("boolean", "priceIncludesTax")
    | _texts("taxGroupCode", "baseUnitOfMeasureCode")
    | _kind("guid", "baseUnitOfMeasureId")
    | _texts("generalProductPostingGroupCode", "inventoryPostingGroupCode")
    | _kind("datetime", "lastModifiedDateTime"),
    "number",
)

_PARTIES = (
    _texts("shipToName", "shipToContact", size=100, editable=True)
    | _address("sellTo", editable=True)
    | _address("billTo", editable=False)
    | _address("shipTo", editable=True)
    | _texts("shortcutDimension1Code", "shortcutDimension2Code", size=20, editable=True)
)
_TOTALS = (
    _kind("decimal", "discountAmount", editable=True)
    | _kind("boolean", "discountAppliedBeforeTax")
    | _kind("decimal", "totalAmountExcludingTax", "totalTaxAmount", "totalAmountIncludingTax")
)
_CONTACT = (
    _kind("datetime", "lastModifiedDateTime")
    | _texts("phoneNumber", size=30, editable=True)
    | _texts("email", size=80, editable=True)
)

SALES_ORDER = Entity(
    "salesOrder",
    _kind("guid", "id")
    | _texts("number")
    | _texts("externalDocumentNumber", size=35, editable=True)
    | _kind("date", "orderDate", "postingDate", editable=True)
    | _kind("guid", "customerId", editable=True)
    | _texts("customerNumber", size=20, editable=True)
    | _texts("customerName", "billToName")
    | _kind("guid", "billToCustomerId", editable=True)
    | _texts("billToCustomerNumber", size=20, editable=True)
    | _PARTIES
    | _kind("guid", "currencyId", editable=True)
    | _texts("currencyCode", size=10, editable=True)
    | _kind("boolean", "pricesIncludeTax")
    | _kind("guid", "paymentTermsId", "shipmentMethodId", editable=True)
    | _texts("salesperson", size=20, editable=True)
    | _kind("boolean", "partialShipping", editable=True)
    | _kind("date", "requestedDeliveryDate", editable=True)
    | _TOTALS
    | _kind("boolean", "fullyShipped")
    | _texts("status")
    | _CONTACT,
    "number",
)

_LINE = (
    _kind("guid", "id")
    | _kind("guid", "documentId", editable=True)
    | _kind("integer", "sequence", editable=True)
    | _kind("guid", "itemId", "accountId", editable=True)
    | _texts("lineType", "lineObjectNumber", size=20, editable=True)
    | _texts("description", size=100, editable=True)
    | _texts("description2", size=50, editable=True)
    | _kind("guid", "unitOfMeasureId", editable=True)
    | _texts("unitOfMeasureCode", size=10, editable=True)
    | _kind("decimal", "quantity", "unitPrice", "discountAmount", "discountPercent", editable=True)
    | _kind("boolean", "discountAppliedBeforeTax")
    | _kind("decimal", "amountExcludingTax")
    | _texts("taxCode", size=20, editable=True)
    | _kind("decimal", "taxPercent", "totalTaxAmount", "amountIncludingTax")
    | _kind("decimal", "invoiceDiscountAllocation", "netAmount", "netTaxAmount")
    | _kind("decimal", "netAmountIncludingTax")
    | _kind("date", "shipmentDate", editable=True)
    | _kind("guid", "itemVariantId", "locationId", editable=True)
)

SALES_ORDER_LINE = Entity(
    "salesOrderLine",
    _LINE
    | _kind("decimal", "shippedQuantity", "invoicedQuantity")
    | _kind("decimal", "invoiceQuantity", "shipQuantity", editable=True),
    "sequence",
)

_POSTED = (
    _kind("guid", "id")
    | _texts("number", "externalDocumentNumber")
    | _kind("date", "invoiceDate", "postingDate", "dueDate")
    | _texts("customerPurchaseOrderReference")
    | _kind("guid", "customerId")
    | _texts("customerNumber", "customerName", "billToName")
    | _kind("guid", "billToCustomerId")
    | _texts("billToCustomerNumber")
    | _PARTIES
    | _texts("currencyCode")
)

SALES_INVOICE = Entity(
    "salesInvoice",
    _POSTED
    | _kind("guid", "orderId")
    | _texts("orderNumber")
    | _kind("guid", "currencyId", "paymentTermsId", "shipmentMethodId")
    | _texts("salesperson")
    | _kind("boolean", "pricesIncludeTax")
    | _kind("decimal", "remainingAmount")
    | _TOTALS
    | _texts("status")
    | _CONTACT,
    "number",
)

SALES_INVOICE_LINE = Entity("salesInvoiceLine", _LINE, "sequence")

SALES_SHIPMENT = Entity(
    "salesShipment",
    _POSTED
    | _texts("orderNumber", "paymentTermsCode", "shipmentMethodCode", "salesperson")
    | _kind("boolean", "pricesIncludeTax")
    | _CONTACT,
    "number",
)

SALES_SHIPMENT_LINE = Entity(
    "salesShipmentLine",
    _kind("guid", "id", "documentId")
    | _texts("documentNo")
    | _kind("integer", "sequence")
    | _texts("lineType", "lineObjectNumber", "description", "description2", "unitOfMeasureCode")
    | _kind("decimal", "unitPrice", "quantity", "discountPercent", "taxPercent")
    | _kind("date", "shipmentDate"),
    "sequence",
)
