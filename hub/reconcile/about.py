"""What a finding is about, as the person on call would say it; its subject is what programs use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WORDS = {
    "sent": "{flow} {document} to {to}",
    "effect": "{action} at {target} of {reference}",
    "hold": "{number} from {from}",
    "interchange": "interchanges {first} to {last} of {name}",
}
"""First word of a subject that holds an id -> the same in numbers that people know."""


def about(row: Mapping[str, Any]) -> str:
    """Return what a finding is about: its subject, or where that is an id what its details say.

    Args:
        row: of `finding`: ``subject``, ``details`` and ``reference`` count.

    """
    kind, _, rest = row["subject"].partition("/")
    known = {"name": rest.partition("/")[0], "reference": row.get("reference")}
    known |= row.get("details") or {}
    try:
        told = {name: value for name, value in known.items() if value}
        return _WORDS[kind].format_map(told)
    except KeyError:  # another subject, or one of which too little is known
        return str(row["subject"])
