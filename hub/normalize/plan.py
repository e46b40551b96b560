"""The plan of a batch: what the transaction will write. Built by pure functions of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.base import Receipt
from hub.events import Event
from hub.ledger.keys import KeyState
from hub.normalize.replay import Replay
from hub.release.asked import ENTITIES, Asked, asked_in
from hub.workers.jobs import Normalized, NormalizeResult

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A receipt that this batch is the first to decide, with what the workers made of it."""

    receipt: Receipt
    result: NormalizeResult
    partner: str
    trace_id: str | None = None
    traceparent: str | None = None
    same_as: str | None = None
    """The first receipt with the same bytes on the same connection, if there was one."""
    polled: bool = False
    """We asked for it: what it repeats is no news and leaves no trace."""
    replay: Replay | None = None
    """It decides one document of an earlier receipt again."""
    asked: Mapping[int, Asked] = field(init=False, repr=False, compare=False)
    """What control points look at, by the position of its document: read once, for all who ask."""

    def __post_init__(self) -> None:
        asked = {
            document.position: asked_in(document.entity, document.canonical_json)
            for document in self.result.documents
            if isinstance(document, Normalized) and document.entity in ENTITIES
        }
        object.__setattr__(self, "asked", asked)


class Case(NamedTuple):
    """One document of a receipt, with what every row about it needs."""

    admitted: Admitted
    document: Normalized
    id: str
    """Of the document: the same receipt decided again gives the same id."""
    reference: str
    """Our reference, of the key alone."""


@dataclass(slots=True)
class Plan:
    """Rows to write, by table, and the events to publish."""

    documents: list[Row] = field(default_factory=list)
    heads: dict[str, KeyState] = field(default_factory=dict)
    holds: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)
    dead_letters: list[Row] = field(default_factory=list)
    references: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    adopted: set[str] = field(default_factory=set)
    """Keys whose original has just arrived: changes parked behind them can go on."""
    confirmations: list[Row] = field(default_factory=list)
    """What partners said of what we sent."""
    replayed: list[Replay] = field(default_factory=list)
    """Replays that this batch decides: their letters close, their failed documents are superseded."""
