"""Exact decimals: text in JSON, `Decimal` in Python, never a float."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

INTEGER_DIGITS = 18
SCALE = 9
"""Most digits before and after the point; together they fit a `Decimal` of default precision."""


@dataclass(frozen=True, slots=True)
class DecimalShape:
    """Annotates a `Decimal` field: plain text of bounded length in, the same text out.

    A float is refused because it cannot hold 10.10: where one arrives, the exact value is already
    lost. An exponent is refused because ``1e9999999`` is ten characters that cost a gigabyte.

    Args:
        scale: most digits after the point that matter; zeros behind them are let through.
        refusal: what the error says was expected.

    """

    scale: int = SCALE
    refusal: str = 'expected a plain decimal as text, such as "12.50"'

    @property
    def pattern(self) -> str:
        """The regular expression of the text, for Rust, Python and JSON Schema alike."""
        zeros = f"0{{0,{SCALE - self.scale}}}" if self.scale < SCALE else ""
        fraction = rf"(\.[0-9]{{1,{self.scale}}}{zeros})?"
        return rf"^-?(0|[1-9][0-9]{{0,{INTEGER_DIGITS - 1}}}){fraction}$"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Match the text in Rust and call `Decimal` on it: there are 25 of these in an order."""
        text = core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern),
            custom_error_type="decimal_text",
            custom_error_message=self.refusal,
        )
        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(Decimal, text),
            python_schema=core_schema.no_info_plain_validator_function(self._read),
            serialization=core_schema.plain_serializer_function_ser_schema(
                plain, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the text that stands in JSON."""
        return {"type": "string", "pattern": self.pattern}

    def _read(self, value: Any) -> Decimal:
        text = plain(value) if isinstance(value, Decimal) and value.is_finite() else value
        if isinstance(text, str) and re.fullmatch(self.pattern, text, re.ASCII):
            return value if isinstance(value, Decimal) else Decimal(text)
        raise PydanticCustomError("decimal_text", "{refusal}", {"refusal": self.refusal})


def plain(value: Decimal) -> str:
    """Write a decimal without an exponent: 1E+2 as "100"."""
    text = str(value)  # at half the price of a format; hardly ever with an exponent
    return format(value, "f") if "E" in text else text


DecimalText = Annotated[Decimal, DecimalShape()]
"""An exact decimal: at most 18 digits before and 9 after the point; text in JSON."""
