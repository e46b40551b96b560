"""A second original that replaces the first: the change that leads from one to the other."""

from __future__ import annotations

from canonical.order import LineChange, Order, OrderChange, OrderLine


def as_change(current: Order, replacement: Order, sequence: int) -> OrderChange:
    """Return the change that makes `current` say what `replacement` says.

    The target already has the order, so it is changed there; creating it again would make two.

    Args:
        current: the version in force.
        replacement: the order that a person let replace it; the same purchase order.
        sequence: the sequence of the change, above the one in force.
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
        change_sequence=sequence,
        kind="replace",
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
