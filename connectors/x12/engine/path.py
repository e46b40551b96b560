"""Where the next segment of a set belongs: the guide as an automaton.

X12.6 orders segments by their place in the set's table: from one segment the next may only be
itself again, one that stands later in the same loop, the loop from its beginning, or the same
questions asked of the loop around it. The first place that fits is the place.
"""

from __future__ import annotations

from connectors.x12.engine.place import Loop, Slot, Step


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
    """Mandatory segments that are missing when the set ends after `slot`."""
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
    depth, loops = found.depth - 1, _entered(found)
    return Step(found.first, depth, loops, missing, stays=False, table=_turns(slot, found))


def defined(loop: Loop, tag: str) -> bool:
    """Whether `tag` has a place anywhere in `loop`."""
    return any(
        item.tag == tag if isinstance(item, Slot) else defined(item, tag) for item in loop.items
    )


def _search(slot: Slot, tag: str) -> tuple[Slot | Loop | None, tuple[Slot, ...]]:
    node: Slot | Loop = slot
    missing: list[Slot] = []
    loop: Loop | None = slot.parent
    while loop is not None:
        for item in loop.items[node.index + 1 :]:
            first = item if isinstance(item, Slot) else item.first
            if first.tag == tag:
                return item, tuple(missing)
            if item.mandatory:
                missing.append(first)
        if loop.parent is not None and loop.first.tag == tag:
            return loop, tuple(missing)
        node, loop = loop, loop.parent
    return None, tuple(missing)


def _turns(slot: Slot, to: Slot | Loop) -> bool:
    """Whether another table of the set begins at `to`."""
    return slot.area != to.area or (slot.index == 0 and slot.parent.parent is None)


def _entered(loop: Loop) -> tuple[Loop, ...]:
    first = loop.items[0]
    return (loop,) if isinstance(first, Slot) else (loop, *_entered(first))
