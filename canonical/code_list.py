"""Closed code lists: a field that takes one of the codes of a published list."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotates a `str` field: exactly one of `codes`, looked up in Rust.

    Args:
        codes: the list; it stands as ``enum`` in the JSON Schema.
        error: the error's type, a bounded word.
        refusal: what the error says was expected.

    """

    codes: tuple[str, ...]
    error: str
    refusal: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate by a set of literals."""
        return core_schema.custom_error_schema(
            core_schema.literal_schema(list(self.codes)),
            custom_error_type=self.error,
            custom_error_message=self.refusal,
        )
