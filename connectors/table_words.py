"""What is wrong with a guide's table, in words: Python says no more than a key, or that it is no table."""

from __future__ import annotations


def words(error: Exception) -> str:
    """Return what was expected, for an error that reading a table has raised."""
    if isinstance(error, KeyError):
        return f"expected {error}, which is not there"
    if isinstance(error, (AttributeError, TypeError)):
        return "a list, a table or a text stands where another of them is expected"
    return str(error)
