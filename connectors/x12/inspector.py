"""Looking into X12 files of whoever sent them: what they hold, and what is wrong at every level.

No connection is needed, so nothing is said of partners: neither who may send, nor what only a
partner's own guide forbids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.base import Json
from connectors.x12.engine.application import application_faults
from connectors.x12.engine.checker import check
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.envelope import (
    Acknowledged,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    TransactionSet,
    element,
    walk,
)
from connectors.x12.engine.faults import APPLICATION_CODES, EnvelopeFault, Fault
from connectors.x12.engine.guide import load_guide, release_of
from connectors.x12.engine.levels import nested
from connectors.x12.engine.reader import Stray, chunks_of, read

_LOOK = 4096
"""How far into a file its first ISA is looked for, past a byte order mark and blanks."""


class X12Inspector:
    """Implements `connectors.inspectors.Inspector`."""

    def recognises(self, data: bytes) -> bool:
        """Whether the first thing in the file is an ISA."""
        start = data[:_LOOK].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x00\x1a")
        return start.startswith(b"ISA")

    def inspect(self, data: bytes) -> Json:
        """Say what a file holds and what is wrong with it."""
        found = _File()
        for event in walk(read(chunks_of(data))):
            found.take(event)
        return found.result()


class _File:
    """What was found so far."""

    def __init__(self) -> None:
        self._errors: list[Json] = []
        self._interchanges: list[Json] = []
        self._delimiters = Delimiters()
        self._gs: list[str] = []

    def take(self, event: object) -> None:
        """Note one event."""
        match event:
            case InterchangeStart():
                self._begin(event)
            case GroupStart():
                self._gs = event.gs
                known = release_of(element(event.gs, 8)) is not None
                unknown = [] if known else [EnvelopeFault("version_unsupported", "GS08")]
                self._envelope([*event.faults, *unknown])
            case TransactionSet():
                self._interchanges[-1]["sets"].append(self._set(event))
            case GroupEnd() | InterchangeEnd():
                self._envelope(event.faults)
            case Acknowledged():
                values = {f"TA1{at:02d}": v for at, v in enumerate(event.segment[1:6], 1) if v}
                self._interchanges[-1].setdefault("acknowledges", []).append(values)
            case Stray():
                at = {"byte": event.offset}
                self._errors.append(_error("syntax", event.error) | at)
            case _:
                pass

    def result(self) -> Json:
        """All that was found."""
        if not self._interchanges and not self._errors:
            self._errors.append(_error("syntax", EnvelopeFault("interchange_missing", "ISA")))
        parts = [each for i in self._interchanges for each in (i, *i["sets"])]
        ok = not self._errors and not any(part["errors"] for part in parts)
        return {"ok": ok, "errors": self._errors, "interchanges": self._interchanges}

    def _begin(self, event: InterchangeStart) -> None:
        isa = event.isa
        self._delimiters = event.delimiters
        self._interchanges.append(
            {
                "control_number": element(isa, 13),
                "sender": f"{element(isa, 5)}:{element(isa, 6)}",
                "receiver": f"{element(isa, 7)}:{element(isa, 8)}",
                "usage": element(isa, 15),
                "byte": event.offset,
                "errors": [],
                "sets": [],
            }
        )
        self._envelope(event.faults)

    def _envelope(self, faults: Iterable[EnvelopeFault]) -> None:
        errors = self._interchanges[-1]["errors"] if self._interchanges else self._errors
        errors += [_error("syntax", fault) for fault in faults]

    def _set(self, read_: TransactionSet) -> Json:
        identifier, version = read_.identifier, element(self._gs, 8)
        errors = [_error("syntax", fault) for fault in read_.faults]
        body: Json = {}
        guide = load_guide(identifier, version)
        if guide is None:
            errors.append(_error("guide", EnvelopeFault("set_unsupported", "ST01")))
        else:
            checked = check(guide, read_.segments, self._delimiters)
            faults = checked.faults or application_faults(identifier, read_.segments)
            errors += [_placed(fault, read_) for fault in faults]
            nested(checked.areas)
            body = {"transaction_set": identifier, "version": version, **checked.areas}
        return {
            "type": identifier,
            "version": version,
            "control_number": read_.control_number,
            "group": element(self._gs, 6),
            "segments": len(read_.segments),
            "verdict": "rejected" if errors else "accepted",
            "errors": errors,
            "body": body,
        }


def _placed(fault: Fault, read_: TransactionSet) -> Json:
    level = "application" if fault.code in APPLICATION_CODES else "guide"
    position = min(fault.position, len(read_.segments))
    return _error(level, fault) | {"segment": fault.position, "byte": read_.offset(position)}


def _error(level: str, found: Any) -> Json:
    """An error or a fault as it is shown."""
    return {"level": level, "code": found.code, "where": found.where, "detail": found.detail}


INSPECTOR = X12Inspector()
"""X12 files as `connectors.inspectors` knows them."""
