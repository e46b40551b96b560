"""Moments: RFC 3339 text in JSON, an aware `datetime` in Python."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

# RFC 3339 section 5.6. pydantic alone also takes "1700000000" for a moment.
_RFC_3339 = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)


@dataclass(frozen=True, slots=True)
class Rfc3339:
    """Annotates a `datetime` field: RFC 3339 text, or an aware `datetime`, and nothing else."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Match the text, then let pydantic read it."""
        text = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=_RFC_3339),
            custom_error_type="instant_text",
            custom_error_message="expected a date and time with an offset (RFC 3339)",
        )
        read = core_schema.datetime_schema(strict=False, tz_constraint="aware")
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([text, read]),
            python_schema=core_schema.datetime_schema(strict=True, tz_constraint="aware"),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the text that stands in JSON; `format` alone binds no validator."""
        return {"type": "string", "format": "date-time", "pattern": _RFC_3339}


Instant = Annotated[datetime, Rfc3339()]
"""A moment with its offset. Without one it would be another moment on every host."""
