"""Which database errors pass by themselves."""

from __future__ import annotations

import asyncpg
import sqlalchemy.exc

_PASSING_CLASSES = ("08", "40", "53", "55P03", "57", "58")
"""SQLSTATE classes (PostgreSQL appendix A): connection, rollback (deadlock, serialisation),
resources (disk full, too many connections), lock timeout, operator intervention, system error."""


def is_passing(error: BaseException) -> bool:
    """Tell a fault of the database or the way to it from a fault of the data or the statement."""
    if isinstance(error, sqlalchemy.exc.TimeoutError | OSError | TimeoutError):
        return True
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated or isinstance(error, sqlalchemy.exc.InterfaceError):
            return True
        return error.orig is not None and is_passing(error.orig)
    if isinstance(error, asyncpg.InterfaceError):
        return True
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return isinstance(state, str) and state.startswith(_PASSING_CLASSES)
