"""A second original that replaces the first: the change that leads from one to the other."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.order import LineChange, Order, OrderChange, OrderLine


def in_force(original: Order, changes: Iterable[OrderChange]) -> Order:
    """Return the order as its changes, in their sequence, have left it."""
    lines = {line.number: line for line in original.lines}
    for change in changes:
        if change.kind == "cancel":
            lines = {}
            continue
        listed = {line.number for line in change.lines}
        if change.kind == "replace":
            lines = {number: line for number, line in lines.items() if number in listed}
        for line in change.lines:
            _apply(lines, line)
    return original.model_copy(update={"lines": tuple(lines.values())})


def _apply(lines: dict[str, OrderLine], change: LineChange) -> None:
    if change.action == "delete":
        lines.pop(change.number, None)
        return
    given = {
        "item": change.item, "quantity": change.quantity, "unit_price": change.unit_price,
    }  # fmt: skip
    update = {name: value for name, value in given.items() if value is not None}
    if change.number in lines:
        lines[change.number] = lines[change.number].model_copy(update=update)
    elif change.item is not None and change.quantity is not None:
        lines[change.number] = OrderLine(
            number=change.number,
            item=change.item,
            quantity=change.quantity,
            unit_price=change.unit_price,
        )


def as_change(current: Order, replacement: Order) -> OrderChange:
    """Return the change that makes `current` say what `replacement` says.

    The target already has the order, so it is changed there; creating it again would make two.

    Args:
        current: the version in force.
        replacement: the order that a person let replace it; the same purchase order.
    """
    before = {line.number: line for line in current.lines}
    after = {line.number: line for line in replacement.lines}
    changes = [_change("delete", before[number]) for number in before if number not in after]
    for number, line in after.items():
        if number not in before:
            changes.append(_change("add", line))
        elif _differs(before[number], line):
            changes.append(_change("change", line))
    return OrderChange(
        po_number=replacement.po_number,
        release=replacement.release,
        kind="change",  # line by line: a target may take "replace" to drop what is not listed
        buyer=replacement.buyer,
        requested_on=replacement.ordered_on,
        requested_delivery_on=replacement.requested_delivery_on,
        lines=tuple(changes),
    )


def _differs(before: OrderLine, after: OrderLine) -> bool:
    return (before.item, before.quantity, before.unit_price) != (
        after.item,
        after.quantity,
        after.unit_price,
    )


def _change(action: str, line: OrderLine) -> LineChange:
    return LineChange.model_validate(
        {
            "number": line.number,
            "action": action,
            "item": line.item,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
        }
    )
