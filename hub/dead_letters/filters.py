"""Which dead letters are meant: the filters that all commands share, as values and as SQL.

Codes: ``letter_unknown``, ``letter_ambiguous``, ``id_too_short``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from canonical.errors import Rejected
from hub.ledger.tables import dead_letter, document

SHORTEST = 8
"""Characters of an id or a fingerprint that name it, as tables show them."""

_WHOLE = 36
_TIMES = ("since", "until")


class State(StrEnum):
    """The states of a dead letter, and all of them."""

    OPEN = "open"
    REPLAYING = "replaying"
    REPLAYED = "replayed"
    ARCHIVED = "archived"
    ALL = "all"


class Stage(StrEnum):
    """Where a document could not go on."""

    DECODE = "decode"
    MAP = "map"
    VALIDATE = "validate"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a person gave; None: it does not matter. All that is given must fit."""

    ids: tuple[str, ...] = ()
    """Full ids, or their first characters."""
    group: str | None = None
    """A fingerprint, or its first characters."""
    partner: str | None = None
    doc: str | None = None
    """The entity."""
    key: str | None = None
    """A business key, a document's number, or our reference at targets."""
    error: str | None = None
    stage: Stage | None = None
    target: str | None = None
    since: datetime | None = None
    """Opened then or later."""
    until: datetime | None = None
    """Opened then or earlier."""
    replayed: bool | None = None
    """Replayed at least once before, or never."""
    state: State | None = None
    limit: int | None = None

    @property
    def narrow(self) -> bool:
        """Whether they choose at all: neither a state nor a limit does."""
        chosen = (self.group, self.partner, self.doc, self.key, self.error, self.stage, self.target)
        more = (self.since, self.until, self.replayed)
        return bool(self.ids or any(chosen)) or any(each is not None for each in more)

    @classmethod
    def of_json(cls, given: Mapping[str, Any]) -> Filters:
        """Return what `as_json` was made of."""
        times = {name: datetime.fromisoformat(given[name]) for name in _TIMES if name in given}
        kinds = {"stage": Stage, "state": State}
        words = {name: kind(given[name]) for name, kind in kinds.items() if name in given}
        return cls(**{**given, **times, **words, "ids": tuple(given.get("ids", ()))})

    def as_json(self) -> dict[str, Any]:
        """Return what was given, as plain JSON values."""
        plain = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in plain.items()
        }

    def states(self, usual: Iterable[State]) -> tuple[str, ...]:
        """Return the states to look at: those given, any for letters named by id, else `usual`."""
        if self.state is State.ALL or (self.state is None and self.ids):
            return tuple(state for state in State if state is not State.ALL)
        return tuple(usual) if self.state is None else (self.state,)


def conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """Return the filters as SQL over `dead_letter` joined with `document`; ids are not among them."""
    equal = {
        dead_letter.c.partner: filters.partner,
        dead_letter.c.entity: filters.doc,
        dead_letter.c.code: filters.error,
        dead_letter.c.stage: filters.stage,
        dead_letter.c.target: filters.target,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if filters.group is not None:
        found.append(dead_letter.c.fingerprint.startswith(_long(filters.group), autoescape=True))
    if filters.key is not None:
        found.append(dead_letter.c.id.in_(sa.union(*_named(filters.key))))
    if filters.replayed is not None:
        found.append(dead_letter.c.replays > 0 if filters.replayed else dead_letter.c.replays == 0)
    if filters.since is not None:
        found.append(dead_letter.c.opened_at >= filters.since)
    if filters.until is not None:
        found.append(dead_letter.c.opened_at <= filters.until)
    return found


def _named(key: str) -> Iterator[sa.Select[tuple[str]]]:
    """Yield what finds the ids of letters by a key; each an index answers, an OR over all none."""
    yield sa.select(dead_letter.c.id).where(dead_letter.c.business_key == key)
    for column in (document.c.number, document.c.reference):
        whose = sa.select(document.c.id).where(column == key)
        yield sa.select(dead_letter.c.id).where(dead_letter.c.document_id.in_(whose))


async def resolve(connection: AsyncConnection, names: Iterable[str]) -> list[str]:
    """Return the ids that these are, or begin.

    Raises:
        Rejected: ``letter_unknown``, ``letter_ambiguous`` or ``id_too_short``.
    """
    return [await _resolve(connection, name) for name in dict.fromkeys(names)]


async def _resolve(connection: AsyncConnection, name: str) -> str:
    begins = dead_letter.c.id.startswith(_long(name), autoescape=True)
    fits = dead_letter.c.id == name if len(name) == _WHOLE else begins
    found = await connection.execute(sa.select(dead_letter.c.id).where(fits).limit(2))
    ids: Sequence[str] = found.scalars().all()
    if not ids:
        raise Rejected("letter_unknown", name, "no dead letter has this id")
    if len(ids) > 1:
        raise Rejected("letter_ambiguous", name, "several ids begin like this; give more of it")
    return ids[0]


def _long(name: str) -> str:
    if len(name) < SHORTEST:
        raise Rejected("id_too_short", name, f"give at least {SHORTEST} characters")
    return name
