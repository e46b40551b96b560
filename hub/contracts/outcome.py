"""What came of checking contracts, as values that can be kept, signed and compared."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

State = Literal["green", "red", "pending"]


class Outcome(NamedTuple):
    """One example."""

    name: str
    kind: str
    problems: tuple[str, ...] = ()
    """Why it fails; () where it holds."""
    notes: tuple[str, ...] = ()
    """What differs in fields that the contract does not rely on."""
    produced: tuple[Any, ...] = ()
    """What the hub makes of it: canonical documents, refusals, texts; compared by the gate."""


class Checked(NamedTuple):
    """One contract with all its examples."""

    contract: str
    version: str
    owner: str
    partner: str
    system: str
    pending: bool
    deprecated_on: str | None
    relies_on: dict[str, tuple[str, ...]]
    outcomes: tuple[Outcome, ...]

    @property
    def holds(self) -> bool:
        """Every example holds."""
        return not any(outcome.problems for outcome in self.outcomes)

    @property
    def state(self) -> State:
        """A contract that is still pending may fail without failing anybody."""
        if self.holds:
            return "green"
        return "pending" if self.pending else "red"
