"""Acting on letters one by one: archive, restore, purge.

Every letter is a transaction of its own: one that is refused or fails never stops the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from canonical.errors import Rejected
from hub.dead_letters import archive, outcome
from hub.dead_letters.filters import State
from hub.dead_letters.outcome import Outcome
from hub.release.holds import Act

Do = Callable[[AsyncConnection, str, Act], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One action: what it is called, what it does to one letter, and which it is for."""

    name: str
    done: str
    do: Do
    usual: State


ARCHIVE = Verb("archive", "archived", archive.archive, State.OPEN)
RESTORE = Verb("restore", "restored", archive.restore, State.ARCHIVED)


def purging(retention_days: int) -> Verb:
    """Return the action that deletes archived letters once their retention is over."""

    async def purge(connection: AsyncConnection, letter_id: str, act: Act) -> None:
        await archive.purge(connection, letter_id, act, retention_days)

    return Verb("purge", "purged", purge, State.ARCHIVED)


async def each(
    engine: AsyncEngine, verb: Verb, letter_ids: Sequence[str], act: Act, *, dry_run: bool
) -> list[Outcome]:
    """Act on each letter; a dry run does the same and takes it back."""
    return [await _one(engine, verb, name, act, dry_run=dry_run) for name in letter_ids]


async def _one(
    engine: AsyncEngine, verb: Verb, letter_id: str, act: Act, *, dry_run: bool
) -> Outcome:
    try:
        async with engine.connect() as ledger, ledger.begin() as transaction:
            await verb.do(ledger, letter_id, act)
            if dry_run:
                await transaction.rollback()
    except Rejected as error:
        return Outcome(letter_id, outcome.REFUSED, error.code, "", error.detail)
    except (SQLAlchemyError, OSError) as error:
        detail = type(error).__name__
        return Outcome(letter_id, outcome.NOT_DONE, "ledger_unavailable", "", detail)
    return Outcome(letter_id, f"would_{verb.name}" if dry_run else verb.done)
