"""What to write on an open order so that it says what a change asks for. Pure.

A change names absolute values, so the difference to the order as it stands is what is left to do:
applying the same change again finds nothing left.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from canonical.errors import Rejected
from connectors.base import Json
from connectors.business_central.notes import Note, line_key
from connectors.business_central.order import Line, Order, the_line
from connectors.business_central.posting import quantity, required

KINDS = ("change", "replace", "cancel")


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of a change."""

    action: str
    number: str
    item: str
    unit: str
    quantity: Decimal | None
    price: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Change:
    """The body of a ``salesOrderChange``, checked."""

    kind: str
    requested: str
    lines: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One write: `line` None means the order itself (or a new line, for an `add`)."""

    action: str
    """``patch_order``, ``delete_order``, ``add``, ``patch`` or ``delete``."""
    line: Line | None
    body: Json


def read_change(body: Json) -> Change:
    """Check the body that the mapping made.

    Raises:
        Rejected: ``body_invalid`` or ``quantity_invalid``.

    """
    kind = required(body, "kind")
    lines = body.get("lines", [])
    if kind not in KINDS:
        raise Rejected("body_invalid", "kind", "expected change, replace or cancel")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise Rejected("body_invalid", "lines", "expected a list of lines")
    asked = tuple(_asked(line, f"lines[{n}]") for n, line in enumerate(lines))
    return Change(kind, str(body.get("requestedDeliveryDate", "")), asked)


def _asked(line: Json, place: str) -> Asked:
    action = line.get("action")
    if action not in {"add", "change", "delete"}:
        raise Rejected("body_invalid", f"{place}.action", "expected add, change or delete")
    amount = line.get("quantity")
    price = line.get("unit_price")
    if price is not None:
        quantity(price, f"{place}.unit_price")
    return Asked(
        action=action,
        number=str(line.get("line_number", "")),
        item=str(line.get("item_number", "")),
        unit=str(line.get("unit", "")),
        quantity=None if amount is None else quantity(amount, f"{place}.quantity"),
        price=price,
        place=place,
    )


def plan_change(order: Order, change: Change) -> tuple[Step, ...]:
    """The writes that are left to do; () where the order already says it all.

    Raises:
        Rejected: ``order_shipped_at_target``, ``line_unknown``, ``line_ambiguous``,
            ``item_differs``, ``line_shipped``, ``unit_differs``, ``quantity_invalid`` or ``body_invalid``.

    """
    if change.kind == "cancel":
        if any(line.shipped for line in order.lines):
            raise Rejected("order_shipped_at_target", "", "expected an order with nothing shipped")
        return (Step("delete_order", None, {}),)
    steps: list[Step] = []
    if change.requested and change.requested != order.requested:
        steps.append(Step("patch_order", None, {"requestedDeliveryDate": change.requested}))
    meant: set[str] = set()
    for asked in change.lines:
        line = the_line(order.lines, asked.number, asked.item, asked.place)
        if line is not None:
            meant.add(line.id)
        steps += _steps(line, asked, change.kind)
    if change.kind == "replace":
        steps += [_deletion(line, "") for line in order.lines if line.id not in meant]
    return tuple(steps)


def _steps(line: Line | None, asked: Asked, kind: str) -> list[Step]:
    if asked.action == "delete" or asked.quantity == 0:
        return [] if line is None else [_deletion(line, asked.place)]
    if line is None:
        if asked.action == "change" and kind != "replace":
            raise Rejected("line_unknown", asked.place, "expected a line that is on the order")
        return [Step("add", None, _new_line(asked))]
    body = _difference(line, asked)
    return [Step("patch", line, body)] if body else []


def _deletion(line: Line, place: str) -> Step:
    if line.shipped:
        raise Rejected("line_shipped", place, "expected a line with nothing shipped")
    return Step("delete", line, {})


def _difference(line: Line, asked: Asked) -> Json:
    if asked.unit and line.unit and asked.unit.upper() != line.unit.upper():
        raise Rejected("unit_differs", f"{asked.place}.unit", "expected the order line's unit")
    body: Json = {}
    if asked.quantity is not None and asked.quantity != line.quantity:
        if asked.quantity < line.shipped:
            raise Rejected("line_shipped", asked.place, "expected at least what is shipped")
        body["quantity"] = format(asked.quantity, "f")
    if asked.price is not None and Decimal(asked.price) != line.price:
        body["unitPrice"] = asked.price
    return body


def _new_line(asked: Asked) -> Json:
    if not asked.item or asked.quantity is None:
        raise Rejected("body_invalid", asked.place, "expected an item and a quantity to add")
    body: Json = {"lineType": "Item", "lineObjectNumber": asked.item}
    if asked.unit:
        body["unitOfMeasureCode"] = asked.unit
    body["quantity"] = format(asked.quantity, "f")
    if asked.price is not None:
        body["unitPrice"] = asked.price
    return {**body, "description2": Note(line=line_key(asked.number)).written()}
