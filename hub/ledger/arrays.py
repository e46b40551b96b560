"""Conditions on many values: one array is one argument, however long it is.

An ``IN`` list binds one argument a value, and the protocol counts arguments in 16 bits: a batch
with more than 32,767 values would be refused by the driver at every try.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import SQLCoreOperations


def among(
    column: SQLCoreOperations[str] | SQLCoreOperations[str | None], values: Iterable[str]
) -> sa.ColumnElement[bool]:
    """Return ``column = ANY(values)``; false for no values."""
    return column == sa.any_(sa.literal(list(values), ARRAY(sa.Text)))
