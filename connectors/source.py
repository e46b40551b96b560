"""Functions made of the names in a guide: what a person would write for this one segment or set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def made(body: Iterable[str], known: Mapping[str, object]) -> Any:
    """Compile a function.

    Args:
        body: its lines, the first of them ``def made(...):``. Nothing that a document says may
            stand in them: only names of a guide that `is_name` allows, and numbers.
        known: the names that it may use besides its arguments and `len`.

    """
    space: dict[str, Any] = {"__builtins__": {"len": len}, **known}
    exec("\n".join(body), space)  # noqa: S102  # names of a guide alone
    return space["made"]


def is_name(text: str) -> bool:
    """Whether a guide's name may stand in source."""
    return text.isascii() and text.replace("_", "").isalnum()
