"""The emulated world: the parts that hold its state, and the one way to change them.

State is a fold over the journal: a part changes only when `World.record` hands it an entry, and a
restart hands it the same entries again. So whatever an answer showed is there after a kill -9.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Protocol

from sandbox.journal import Entry, Journal

CAUSED_BY: ContextVar[str] = ContextVar("caused_by", default="")
"""The scripted misbehaviour under which effects are being recorded; "" in an honest world."""


class Part(Protocol):
    """One emulated system's state."""

    @property
    def system(self) -> str:
        """The `system` of the entries that concern it."""
        ...

    def apply(self, entry: Entry) -> None:
        """Take one entry into the state; never fails on an entry that was once recorded."""
        ...


@dataclass(frozen=True)
class Effect:
    """Something that took effect in an emulated system."""

    system: str
    effect: str
    reference: str
    """What the hub calls it: our order reference, a purchase order number, a tracking code."""
    data: Mapping[str, Any] = field(default_factory=dict)


class World:
    """All parts, their journal, the clock and the source of new ids."""

    def __init__(
        self, journal: Journal, parts: Sequence[Part], clock: Callable[[], datetime], seed: int
    ) -> None:
        self.journal = journal
        self.clock = clock
        self._parts = {part.system: part for part in parts}
        for entry in journal.entries():
            self._apply(entry)
        # The journal's length is part of the seed: after a restart new ids must be new.
        self.random = Random(f"{seed}/{journal.seq}")  # noqa: S311  ids of an emulation

    def record(self, *effects: Effect) -> list[Entry]:
        """Let effects that belong together happen; durable once the journal is flushed."""
        at = self.clock().isoformat()
        cause = CAUSED_BY.get()
        entries = self.journal.append(
            [
                {"at": at, "system": one.system, "effect": one.effect, "reference": one.reference}
                | ({"caused_by": cause} if cause else {})
                | dict(one.data)
                for one in effects
            ]
        )
        for entry in entries:
            self._apply(entry)
        return entries

    def new_id(self) -> str:
        """A new GUID."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def new_number(self) -> int:
        """A new numeric id of 13 digits, as shops give them."""
        return self.random.randrange(10**12, 10**13)

    def _apply(self, entry: Entry) -> None:
        part = self._parts.get(entry["system"])
        if part is not None:
            part.apply(entry)
