"""Which database errors pass by themselves.

Everything else is a fault of the data or the statement: it would come back at every try.
"""

from __future__ import annotations

import asyncpg
import sqlalchemy.exc

_PASSING_CLASSES = ("08", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes (PostgreSQL appendix A): connection, rollback (deadlock, serialisation),
resources (disk full, too many connections, locks), lock timeout, operator intervention, system
error. What one batch asks for is bounded (`keys.guard`), so no batch runs out of locks for ever."""

_GONE = (
    "connection is closed",
    "connection was closed",
    "underlying connection is closed",
    "another operation",
)
"""How asyncpg, which has one class for all misuse of its interface, says that the server is gone.

``another operation`` (is in progress, is cancelling): the server died while a statement was on its
way, and the rollback was asked for before the driver had noticed. A campaign of kills found it.
"""


def is_passing(error: BaseException) -> bool:
    """Tell a fault of the database or the way to it from a fault of the data or the statement."""
    if isinstance(error, sqlalchemy.exc.TimeoutError | OSError | TimeoutError):
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        cause = error.orig
        return error.connection_invalidated or (cause is not None and _any_passing(cause))
    return _passing(error)


def _any_passing(error: BaseException | None) -> bool:
    """Look behind the driver's errors too: SQLAlchemy's adapter raises its own from them."""
    while error is not None:
        if _passing(error):
            return True
        error = error.__cause__
    return False


def _passing(error: BaseException) -> bool:
    if isinstance(error, OSError | TimeoutError):
        return True
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(_PASSING_CLASSES)
    ours = isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError)
    return ours and any(gone in str(error) for gone in _GONE)


_REFUSALS = {
    "28": "PostgreSQL refuses the user or password",
    "3D": "PostgreSQL has no such database",
    "42501": "PostgreSQL denies the user a permission",
}
"""SQLSTATE classes and codes (PostgreSQL appendix A) that somebody has to mend."""


def refusal(error: BaseException) -> str | None:
    """Return in words what PostgreSQL will not have of us; None: it is another fault."""
    cause: BaseException | None = error
    while cause is not None:
        state = str(getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or "")
        for known, words in _REFUSALS.items():
            if state.startswith(known):
                return words
        cause = getattr(cause, "orig", None) or cause.__cause__
    return None
