"""What the hub would answer to a file: 997, 999, TA1, 824, CONTRL, APERAK, as they would be sent.

Without a partner each interchange is read as by a connection with its own sender. Where no
connection could have its sender or receiver, none is owed: ``sender_unreadable``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from canonical.errors import Rejected
from connectors.base import ConnectorConfig, Decoded, Numbers, Receipt, Refusal
from connectors.inspectors import INSPECTORS
from connectors.registry import CONNECTORS
from connectors.report import Look
from hub.edi.files import Opened


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer."""

    flow: str
    """``997``, ``CONTRL`` ..."""
    interchange: str
    """The control number of the interchange that it answers."""
    wire: bytes


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers to a file, and the codes of what was refused in it."""

    owed: tuple[Answered, ...]
    refused: tuple[str, ...]


def answers(
    file: Opened, config: ConnectorConfig | None, asked: dict[str, Any], at: datetime
) -> Answers:
    """Return what a file would be answered with.

    Args:
        file: of a known format.
        config: of the connection that it would come by; None: one of its own sender.
        asked: options beside those that follow from the sender, where there is no `config`.
        at: when.

    Raises:
        Rejected: ``format_unknown``.
    """
    if file.system is None:
        raise Rejected("format_unknown", file.path.name, "no format that is known")
    inspector = INSPECTORS[file.system]
    owed: list[Answered] = []
    refused: list[str] = []
    found = inspector.inspect(file.data, Look(bodies=False))
    refused += [error["code"] for error in found["errors"] if "interchange" not in error]
    interchanges = found["interchanges"]
    ends = [*(each["byte"] for each in interchanges[1:]), len(file.data)]
    for interchange, end in zip(interchanges, ends, strict=False):
        own = config or _sender(file.system, {**inspector.options(interchange), **asked})
        if own is None:
            refused.append("sender_unreadable")
            continue
        codec = CONNECTORS[file.system].codec(own)
        body = file.data[interchange["byte"] : end]
        decoded = codec.decode(Receipt("", "", "", at, body))
        for answer in decoded.answers:
            numbers = Numbers(len(owed) + 1, len(owed) + 1, at)
            wire = codec.encode(answer.flow, answer.body, numbers)
            owed.append(Answered(answer.flow, interchange["control_number"], wire))
        refused += _refusals(decoded)
    return Answers(tuple(owed), tuple(refused))


def _refusals(decoded: Decoded) -> list[str]:
    return [each.error.code for each in decoded.documents if isinstance(each, Refusal)]


def _sender(system: str, options: dict[str, Any]) -> ConnectorConfig | None:
    model = CONNECTORS[system].config
    try:
        return model.model_validate(
            {name: value for name, value in options.items() if name in model.model_fields}
        )
    except ValidationError:
        return None
