"""Where the next segment of a message belongs: the guide as an automaton.

ISO 9735 orders segments by their place in the message's table: from one segment the next may only be
itself again, one that stands later in the same group, the group from its beginning, or the same
questions asked of the group around it. The first place that fits is the place.
"""

from __future__ import annotations

from connectors.edifact.engine.guide import Group, Slot, Step


def step(slot: Slot, tag: str) -> Step | None:
    """The step from `slot` to a segment `tag`; None where none is allowed.

    Steps are worked out when first needed and kept in the slot; only what the guide allows is
    kept, so their number is bounded by the guide.
    """
    found = slot.steps.get(tag) or advance(slot, tag)
    if found is not None:
        slot.steps[tag] = found
    return found


def finish(slot: Slot) -> tuple[Slot, ...]:
    """Mandatory segments that are missing when the message ends after `slot`."""
    return _search(slot, "")[1]


def advance(slot: Slot, tag: str, *, again: bool = True) -> Step | None:
    """Search the place for `tag` that is nearest after `slot`.

    Args:
        slot: where the last segment stands.
        tag: the next segment.
        again: `slot` itself may repeat.

    """
    if again and slot.tag == tag and slot.maximum > 1:
        return Step(slot, slot.parent.depth, (), (), stays=True, table=False, again=True)
    found, missing = _search(slot, tag)
    if found is None:
        return None
    if isinstance(found, Slot):
        stays = found.parent is slot.parent and not _turns(slot, found)
        return Step(found, found.parent.depth, (), missing, stays, _turns(slot, found))
    depth, groups = found.depth - 1, _entered(found)
    return Step(found.first, depth, groups, missing, stays=False, table=_turns(slot, found))


def defined(group: Group, tag: str) -> bool:
    """Whether `tag` has a place anywhere in `group`."""
    return any(
        item.tag == tag if isinstance(item, Slot) else defined(item, tag) for item in group.items
    )


def _search(slot: Slot, tag: str) -> tuple[Slot | Group | None, tuple[Slot, ...]]:
    node: Slot | Group = slot
    missing: list[Slot] = []
    group: Group | None = slot.parent
    while group is not None:
        for item in group.items[node.index + 1 :]:
            first = item if isinstance(item, Slot) else item.first
            if first.tag == tag:
                return item, tuple(missing)
            if item.mandatory:
                missing.append(first)
        if group.parent is not None and group.first.tag == tag:
            return group, tuple(missing)
        node, group = group, group.parent
    return None, tuple(missing)


def _turns(slot: Slot, to: Slot | Group) -> bool:
    """Whether another section of the message begins at `to`."""
    return slot.area != to.area or (slot.index == 0 and slot.parent.parent is None)


def _entered(group: Group) -> tuple[Group, ...]:
    first = group.items[0]
    return (group,) if isinstance(first, Slot) else (group, *_entered(first))
