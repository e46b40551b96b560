"""The vocabulary as a tree of shapes: what a mapping has to give, and what an outbound one reads."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from canonical import DOCUMENTS

Kind = Literal["object", "array", "map", "decimal", "other"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One value of the vocabulary."""

    kind: Kind
    fields: Mapping[str, Shape] = field(default_factory=dict)
    """Of an object."""
    required: frozenset[str] = frozenset()
    element: Shape | None = None
    """Of an array."""


OTHER = Shape("other")


@cache
def shape_of(entity: str) -> Shape:
    """The shape of a canonical document."""
    return _model(DOCUMENTS[entity])


def _model(model: type[BaseModel]) -> Shape:
    fields = {name: _value(info.annotation) for name, info in model.model_fields.items()}
    required = {name for name, info in model.model_fields.items() if info.is_required()}
    return Shape("object", fields, frozenset(required))


def _value(annotation: Any) -> Shape:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(arguments[0])
    if origin in (Union, types.UnionType):
        return _value(next(each for each in arguments if each is not type(None)))
    if origin is tuple:
        return Shape("array", element=_value(arguments[0]))
    if origin is dict:
        return Shape("map")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _model(annotation)
    return Shape("decimal") if annotation is Decimal else OTHER
