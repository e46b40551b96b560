"""Checks of what a client writes: unknown, read-only, wrongly typed or too long properties."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.json_text import Row, number
from sandbox.odata import ODataError
from sandbox.schema import Entity

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def refused(message: str, code: str = "Application_DialogException") -> ODataError:
    """A refusal by the application logic of the product."""
    return ODataError(400, code, message)


def check_fields(body: Row, entity: Entity) -> None:
    """Refuse what the type does not have, what is read-only, and values of the wrong kind.

    Raises:
        ODataError: 400.

    """
    for name, value in body.items():
        field = entity.fields.get(name)
        if field is None:
            raise ODataError(
                400,
                "BadRequest",
                f"The property '{name}' does not exist on type 'Microsoft.NAV.{entity.type_name}'.",
            )
        if not field.editable:
            raise ODataError(400, "BadRequest_InvalidOperation", f"Control '{name}' is read-only.")
        if not _KINDS[field.kind](value):
            raise ODataError(400, "BadRequest", f"Cannot convert '{name}' to Edm.{field.kind}.")
        if field.size and len(value) > field.size:
            raise refused(
                f"The length of the string is {len(value)}, but it must be less than or equal "
                f"to {field.size} characters.",
                "Application_StringExceededLength",
            )


def _is_decimal(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    try:
        number(Decimal(value))
    except ValueError:
        return False
    return True


def _is_date(value: Any) -> bool:
    if not (isinstance(value, str) and _DATE.fullmatch(value)):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


_KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "guid": lambda value: isinstance(value, str) and bool(_GUID.fullmatch(value)),
    "date": _is_date,
    "decimal": _is_decimal,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}
