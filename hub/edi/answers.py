"""What the hub would answer to a file: 997, 999, TA1, 824, CONTRL, APERAK, as they would be sent.

Without a partner each interchange is read as by a connection with its own sender. Where no
connection could have its sender or receiver, none is owed: ``sender_unreadable``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from canonical.errors import Rejected
from connectors.base import ConnectorConfig, Decoded, Numbers, Receipt, Refusal
from connectors.inspectors import INSPECTORS
from connectors.registry import CONNECTORS
from hub.edi.files import interchanges


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer."""

    flow: str
    """``997``, ``CONTRL`` ..."""
    interchange: str
    """The control number of the interchange that it answers."""
    wire: bytes


Asking = Callable[[str], tuple[ConnectorConfig | None, dict[str, Any]]]
"""A format -> the connection that a file of it would come by, or None: one of its own sender; and
then options beside those that follow from the sender."""


def answers(path: Path, asking: Asking, at: datetime, refused: set[str]) -> Iterator[Answered]:
    """Yield what a file would be answered with, one interchange after the other.

    Args:
        path: of the file.
        asking: how files of its format are answered.
        at: when.
        refused: where the codes of what is refused in it are put.

    Raises:
        Rejected: ``format_unknown``, ``interchange_too_large``, and what `asking` raises.
        OSError: it cannot be read.
    """
    count = 0
    for each in interchanges(path):
        if isinstance(each, Rejected):
            refused.add(each.code)
            continue
        config, asked = asking(each.system)
        options = INSPECTORS[each.system].options(each.head)
        own = config or _sender(each.system, {**options, **asked})
        if own is None:
            refused.add("sender_unreadable")
            continue
        codec = CONNECTORS[each.system].codec(own)
        decoded = codec.decode(Receipt("", "", "", at, each.data))
        refused |= _refusals(decoded)
        for answer in decoded.answers:
            count += 1
            wire = codec.encode(answer.flow, answer.body, Numbers(count, count, at))
            yield Answered(answer.flow, each.head["control_number"], wire)


def _refusals(decoded: Decoded) -> set[str]:
    return {each.error.code for each in decoded.documents if isinstance(each, Refusal)}


def _sender(system: str, options: dict[str, Any]) -> ConnectorConfig | None:
    model = CONNECTORS[system].config
    try:
        return model.model_validate(
            {name: value for name, value in options.items() if name in model.model_fields}
        )
    except ValidationError:
        return None
