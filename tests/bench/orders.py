"""The bench's documents: X12 850s of twelve lines, each another order, and the ERP's reference data.

Every order differs in its number *and* in what it says: two orders with the same content would be
twins, and held. All of them pass every control point of `site.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from connectors.base import Receipt
from hub.ids import derived_id

CONNECTION = "acme-edi"
LINES = 12
RECEIVED_AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
ITEMS = {f"{1900 + 4 * n}-S": f"{35 + 17 * n}.{n:02}" for n in range(LINES)}
"""Our SKU -> its list price, USD; as many items as lines."""

_DESCRIPTIONS = (
    "ATHENS DESK, OAK VENEER, 160 CM",
    "PARIS GUEST CHAIR, BLACK, STACKABLE",
    "LONDON SWIVEL CHAIR",
)


def interchange(first: int, orders: int = 1) -> bytes:
    """Return `orders` orders, numbered from `first`, as one interchange; 43 segments for the first."""
    control = f"{first % 1_000_000_000:09}"
    return "~".join(
        [
            "ISA*00*          *00*          *ZZ*ACMEDIST       *ZZ*CROSSDOCK      "
            f"*261120*1000*U*00401*{control}*0*P*>",
            f"GS*PO*ACMEDIST*CROSSDOCK*20261120*1000*{first}*X*004010",
            *(each for n in range(orders) for each in _set(first + n, n + 1)),
            f"GE*{orders}*{first}",
            f"IEA*1*{control}~",
        ]
    ).encode()


def _set(n: int, control: int) -> list[str]:
    segments = [*_heading(n), *_lines(n), f"CTT*{LINES}"]
    return [f"ST*850*{control:04}", *segments, f"SE*{len(segments) + 2}*{control:04}"]


def _heading(n: int) -> list[str]:
    return [
        f"BEG*00*SA*PO-{n:08}**20261120",
        "CUR*BY*USD",
        "REF*DP*038",
        "REF*IA*0410062",
        "DTM*002*20261127",
        "TD5**2*UPSN*J*GROUND SERVICE",
        "N1*BY*ACME DISTRIBUTORS*92*C10010",
        f"N1*ST*ACME STORE {n % 977:03}*92*{n % 977:04}",
        f"N3*{100 + n % 8999} WAREHOUSE WAY",
        "N4*ATLANTA*GA*31772*US",
    ]


def _lines(n: int) -> Iterator[str]:
    """Yield PO1 and PID of every line; the digits of `n` stand in the quantities."""
    for position, (sku, price) in enumerate(ITEMS.items()):
        quantity = 1 + n // 10**position % 10
        yield f"PO1*{position + 1}*{quantity}*EA*{price}**VN*{sku}*BP*ACME-{70_000 + position}"
        yield f"PID*F****{_DESCRIPTIONS[position % len(_DESCRIPTIONS)]}"


def receipts(first: int, count: int, each: int = 1) -> Iterator[Receipt]:
    """Yield the receipts of `count` orders, numbered from `first`, so many in each interchange."""
    for n in range(first, first + count, each):
        yield Receipt(
            id=derived_id("bench", str(n)),
            connection=CONNECTION,
            delivery_id=f"bench-{n}.edi",
            received_at=RECEIVED_AT,
            body=interchange(n, each),
            content_type="application/edi-x12",
            facts={"file": f"bench-{n}.edi"},
        )


def reference_data() -> list[Receipt]:
    """Return what the ERP says of customers, items and stock, as its pages."""
    modified = "2026-11-01T00:00:00Z"
    customer = {"number": "C10010", "displayName": "Acme", "blocked": "_x0020_"}
    items = [
        {
            "number": sku,
            "displayName": f"Item {sku}",
            "type": "Inventory",
            "baseUnitOfMeasureCode": "PCS",
            "inventory": 1_000_000,
            "unitPrice": float(price),
            "blocked": False,
            "lastModifiedDateTime": modified,
        }
        for sku, price in ITEMS.items()
    ]
    return [
        _page("customers", [customer | {"lastModifiedDateTime": modified}]),
        _page("items", items),
    ]


def _page(flow: str, rows: Sequence[Mapping[str, object]]) -> Receipt:
    return Receipt(
        id=derived_id("bench", flow),
        connection="bc",
        delivery_id=f"bench-{flow}",
        received_at=RECEIVED_AT,
        body=json.dumps({"value": rows}).encode(),
        flow=flow,
        content_type="application/json",
    )
