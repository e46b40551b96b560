"""What the journal says about double effects. Pure functions over its entries.

This is the judge of the demo's account and of fault tests: it reads what took effect in the
emulated systems and knows nothing of the hub's own books.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sandbox.journal import Entry

Kind = Literal[
    "sales_order_twice", "warehouse_order_twice", "shipped_beyond_warehouse",
    "invoiced_beyond_warehouse", "invoiced_beyond_shipped",
]  # fmt: skip
"""What happened more often, or to more, than it should.

- ``sales_order_twice``: two sales orders with one external document number;
- ``warehouse_order_twice``: the warehouse took in two orders with one depositor order number, of
  the same content or both as originals (a retransmitted interchange is not taken in);
- ``shipped_beyond_warehouse``: the ERP posted more of an item than the warehouse sent;
- ``invoiced_beyond_warehouse``: the same of the invoices, as when a shipment is invoiced twice;
- ``invoiced_beyond_shipped``: more was invoiced than the ERP itself shipped.
"""
EACH = {"EA", "PCS"}
"""Units (X12 element 355) that are the ERP's base unit."""
PLANTED = "apply_twice"
"""`caused_by` of effects that the target made twice by itself, on request."""


@dataclass(frozen=True)
class DoubleEffect:
    """One finding."""

    kind: Kind
    reference: str
    seqs: tuple[int, ...]
    """The entries that prove it."""
    planted: bool
    """The target did it by itself, because the script told it to: not the hub's doing."""
    detail: str = ""


def effects_by_reference(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group entries by our reference, in order; entries without one are left out."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry["reference"]:
            found[entry["reference"]].append(entry)
    return dict(found)


def double_effects(entries: Iterable[Entry]) -> list[DoubleEffect]:
    """All that took effect twice, ordered by reference."""
    found: list[DoubleEffect] = []
    for reference, group in sorted(effects_by_reference(entries).items()):
        found += _sales_orders(reference, group)
        found += _warehouse_orders(reference, group)
        found += _quantities(reference, group)
    return found


def _of(group: Iterable[Entry], effect: str) -> list[Entry]:
    return [entry for entry in group if entry["effect"] == effect]


def _finding(kind: Kind, reference: str, entries: list[Entry], detail: str = "") -> DoubleEffect:
    planted = any(entry.get("caused_by") == PLANTED for entry in entries)
    return DoubleEffect(kind, reference, tuple(one["seq"] for one in entries), planted, detail)


def _sales_orders(reference: str, group: list[Entry]) -> Iterator[DoubleEffect]:
    created = _of(group, "sales_order_created")
    # An order that was cancelled (deleted) and entered anew is not there twice.
    live = len(created) - len(_of(group, "sales_order_deleted"))
    if live > 1:
        yield _finding("sales_order_twice", reference, created)


def _warehouse_orders(reference: str, group: list[Entry]) -> Iterator[DoubleEffect]:
    received = _of(group, "warehouse_order_received")
    by_content: dict[str, list[Entry]] = defaultdict(list)
    for entry in received:
        by_content[entry["order"]["content"]].append(entry)
    twice = [same for same in by_content.values() if len(same) > 1]
    originals = [entry for entry in received if entry["order"]["status"] in {"N", ""}]
    for same in twice:
        yield _finding("warehouse_order_twice", reference, same, "same content")
    if not twice and len(originals) > 1:
        yield _finding("warehouse_order_twice", reference, originals, "two originals")


def _quantities(reference: str, group: list[Entry]) -> Iterator[DoubleEffect]:
    shipped = _of(group, "shipment_posted")
    invoiced = _of(group, "invoice_posted")
    yield from _beyond("invoiced_beyond_shipped", reference, invoiced, _moved(shipped))
    allowed = _allowed(group)
    yield from _beyond("shipped_beyond_warehouse", reference, shipped, allowed)
    yield from _beyond("invoiced_beyond_warehouse", reference, invoiced, allowed)


def _allowed(group: list[Entry]) -> dict[str, Decimal]:
    """Item -> what left the warehouse; only items that can be compared.

    Nothing can be said of items that the warehouse was never asked for (freight on a G/L account),
    nor of those that it counts in another unit than the ERP's piece, nor before the first advice.
    """
    if not _of(group, "warehouse_shipment_sent"):
        return {}
    ordered = [
        line for entry in _of(group, "warehouse_order_received") for line in entry["order"]["lines"]
    ]
    left = _left(_of(group, "warehouse_shipment_sent"))
    return {
        line["sku"]: left.get(line["sku"], Decimal(0)) for line in ordered if line["unit"] in EACH
    }


def _beyond(
    kind: Kind, reference: str, documents: list[Entry], allowed: Mapping[str, Decimal]
) -> Iterator[DoubleEffect]:
    for item, quantity in sorted(_moved(documents).items()):
        most = allowed.get(item)
        if most is None and kind == "invoiced_beyond_shipped":
            most = Decimal(0)
        if most is not None and quantity > most:
            yield _finding(kind, reference, documents, f"{item}: {quantity} of {most}")


def _moved(documents: list[Entry]) -> dict[str, Decimal]:
    """Item -> quantity over the lines of posted documents."""
    return _summed(line for entry in documents for line in entry["items"])


def _left(shipments: list[Entry]) -> dict[str, Decimal]:
    """Item -> quantity over all that left the warehouse, in the ordered unit."""
    return _summed(line for entry in shipments for line in entry["shipment"]["items"])


def _summed(lines: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        total[line["item"]] += Decimal(line["quantity"])
    return total
