"""What the emulated company starts with: customers, items, accounts, and who trades with whom."""

from __future__ import annotations

import uuid
from decimal import Decimal

from sandbox.json_text import Row

_IDS = uuid.UUID("3c1b6a52-6d63-4f0e-8a3c-5b7c0a5d9e11")
"""The namespace of the ids of reference data, which must be the same after every start."""

BEGAN = "2026-01-05T08:00:00Z"
"""When the company's reference data was last changed before the sandbox started."""


def fixed_id(kind: str, number: str) -> str:
    """The GUID of a piece of reference data."""
    return str(uuid.uuid5(_IDS, f"{kind}/{number}"))


COMPANY: Row = {
    "id": fixed_id("company", "contoso"),
    "systemVersion": "26.0.0.0",
    "name": "CONTOSO",
    "displayName": "Contoso Distribution",
    "systemCreatedAt": BEGAN,
    "systemModifiedAt": BEGAN,
}

BASE_UNIT = "PCS"

PARTNERS = {"acme": "ACMEDIST", "northside": "NORTHSIDE"}
"""EDI customer -> its ISA id (qualifier ZZ)."""
WAREHOUSE_ID = "LAKESIDE3PL"
OUR_ID = "CROSSDOCK"
"""ISA ids of the warehouse and of the hub (qualifier ZZ)."""

ACCOUNTS = {"40100": "Income, Sales", "40410": "Freight Income"}
"""G/L accounts that a sales line may name."""


def _customer(number: str, name: str, address: tuple[str, ...], blocked: str = " ") -> Row:
    street, city, state, post_code = address
    return {
        "id": fixed_id("customer", number),
        "number": number,
        "displayName": name,
        "type": "Company",
        "addressLine1": street,
        "city": city,
        "state": state,
        "country": "US",
        "postalCode": post_code,
        "currencyCode": "USD",
        "creditLimit": 500000,
        "blocked": blocked,
        "lastModifiedDateTime": BEGAN,
    }


def customers() -> list[Row]:
    """The customers; `blocked` is `` `` (not), ``Ship``, ``Invoice`` or ``All``."""
    return [
        _customer("C10010", "Acme Distributors", ("100 Main St", "Springfield", "IL", "62701")),
        _customer("C10020", "Northside Supply", ("45 Harbor Way", "Duluth", "MN", "55802")),
        _customer("C10030", "Web Shop Customers", ("1 Dock Road", "Chicago", "IL", "60601")),
        _customer("C10040", "Stopped Trading Co", ("9 End St", "Gary", "IN", "46402"), "All"),
    ]


_ITEMS = (
    ("1896-S", "ATHENS Desk", "1000.8", 5000),
    ("1900-S", "PARIS Guest Chair, black", "192.8", 5000),
    ("1906-S", "ATHENS Mobile Pedestal", "281.4", 5000),
    ("1908-S", "LONDON Swivel Chair, blue", "190.1", 5000),
    ("1920-S", "ANTWERP Conference Table", "641.3", 800),
    ("1925-W", "Conference Bundle 1-6", "188.7", 400),
    ("1928-S", "AMSTERDAM Lamp", "54.9", 9000),
    ("1936-S", "BERLIN Guest Chair, yellow", "192.8", 5000),
    ("1996-S", "ATLANTA Whiteboard, base", "1397.3", 600),
)


def items() -> list[Row]:
    """The items; prices in USD per piece."""
    return [
        {
            "id": fixed_id("item", number),
            "number": number,
            "displayName": name,
            "type": "Inventory",
            "itemCategoryCode": "MISC",
            "gtin": _gtin(position),
            "inventory": stock,
            "unitPrice": Decimal(price),
            "unitCost": (Decimal(price) * Decimal("0.6")).quantize(Decimal("0.01")),
            "baseUnitOfMeasureCode": BASE_UNIT,
            "baseUnitOfMeasureId": fixed_id("unit", BASE_UNIT),
            "lastModifiedDateTime": BEGAN,
        }
        for position, (number, name, price, stock) in enumerate(_ITEMS, start=1)
    ]


def _gtin(position: int) -> str:
    """A GTIN-12 of a company prefix that GS1 uses in examples."""
    digits = f"0614141{position:04d}"
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """The GS1 check digit: weights 3 and 1 from the right (GS1 General Specifications 7.9)."""
    weighted = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))
    )
    return str(-weighted % 10)
