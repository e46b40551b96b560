"""Reads a mapping's result as a canonical document: what catches the fields that JSONata dropped.

Code of the `Rejected` raised here: ``canonical_invalid``; `where` lists every field that is wrong,
`detail` what was expected of each, and neither carries a value.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from canonical import DOCUMENTS, Document
from canonical.errors import Rejected

_MOST_LISTED = 20
_FREE_KEYS = "extensions"
"""Below it the keys are the source's own and could be data; they are not named."""


def validate(entity: str, text: bytes) -> Document:
    """Read canonical JSON.

    Raises:
        Rejected: ``canonical_invalid``, one error for all fields that are wrong.

    """
    try:
        return DOCUMENTS[entity].model_validate_json(text)
    except ValidationError as error:
        raise _listed(error) from None


def _listed(error: ValidationError) -> Rejected:
    found: dict[str, str] = {}
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        path = field_path(each["loc"])
        # pydantic counts only the elements that are right: "too short" then repeats the others.
        if each["type"] == "too_short" and any(other.startswith(f"{path}[") for other in found):
            continue
        found.setdefault(path, each["msg"].removeprefix("Value error, "))
    listed = list(found.items())[:_MOST_LISTED]
    more = len(found) - len(listed)
    rest = f"; and {more} more" if more else ""
    where = "; ".join(path for path, _ in listed) + rest
    detail = "; ".join(f"{path}: {message}" for path, message in listed) + rest
    return Rejected("canonical_invalid", where, detail)


def field_path(loc: tuple[Any, ...]) -> str:
    """A pydantic location as people write it: ("lines", 3, "item") -> ``lines[3].item``."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else str(part)
        if part == _FREE_KEYS:
            break
    return path or "document"
