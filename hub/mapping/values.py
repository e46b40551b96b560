"""What may go into a mapping and come out of it: JSON without binary floats, not too deep.

One walk over the document each way.
"""

from __future__ import annotations

from typing import Any

from hub.mapping.refused import Refused

_LARGEST_INTEGER = 2**53
"""Beyond it an integer does not survive the engine (9007199254740993 comes back as ...992)."""


def check_source(value: Any, depth: int) -> None:
    """Refuse what the engine would silently change or choke on.

    Raises:
        Refused: ``mapping_not_decimal`` or ``mapping_too_large``.

    """
    if depth < 0:
        raise Refused("mapping_too_large", "the document nests too deep")
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue
        if kind is dict or kind is list:
            check_source(item, depth - 1)
        else:
            _check_number(item)


def clean_result(value: Any, depth: int) -> None:
    """Take the nulls out of a result, in place: it must share nothing with the source.

    Raises:
        Refused: ``mapping_not_decimal``, ``mapping_too_large``, or ``mapping_failed`` for
            something that is no JSON.

    """
    if depth < 0:
        raise Refused("mapping_too_large", "the result nests too deep")
    nulls = False
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)
        if kind is str or kind is bool:
            continue
        if item is None:
            nulls = True
        elif isinstance(item, dict | list):  # jsonata-python gives subclasses
            clean_result(item, depth - 1)
        else:
            _check_number(item)
    if nulls:
        _drop_nulls(value)


def _drop_nulls(value: Any) -> None:
    if isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
    else:
        value[:] = [item for item in value if item is not None]


def _check_number(value: object) -> None:
    if type(value) is int and abs(value) <= _LARGEST_INTEGER:
        return
    if type(value) is int:
        raise Refused("mapping_not_decimal", "an integer beyond 2^53; write it as text")
    raise Refused(
        "mapping_not_decimal", "a binary float or something else that is no JSON; use decimal text"
    )
