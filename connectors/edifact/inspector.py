"""Looking into EDIFACT files of whoever sent them: what they hold, and what is wrong at every level.

No connection is needed, so nothing is said of partners: neither who may send, nor what only a
partner's own guide forbids. All messages that guides exist for are looked into.
"""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import Json
from connectors.edifact.engine.application import findings
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import MESSAGES, load_guide, release_for
from connectors.edifact.engine.envelope import (
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    Message,
    Parts,
    part,
    walk,
)
from connectors.edifact.engine.faults import APPLICATION_CODES, EnvelopeFault, Fault
from connectors.edifact.engine.reader import Stray, chunks_of, read

_LOOK = 4096
"""How far into a file its beginning is looked for, past a byte order mark and blanks."""

_BEGINNINGS = (b"UNA", b"UNB", b"UNG", b"UNH+")


class EdifactInspector:
    """Implements `connectors.base.Inspector`."""

    def recognises(self, data: bytes) -> bool:
        """Whether the first thing in the file is a UNA, UNB, UNG or UNH."""
        start = data[:_LOOK].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x00\x1a")
        return start.startswith(_BEGINNINGS)

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
        self._marks = Delimiters()
        self._group = ""

    def take(self, event: object) -> None:
        """Note one event."""
        match event:
            case InterchangeStart():
                self._begin(event)
            case GroupStart():
                self._group = part(event.ung, 5)
                self._envelope(event.faults)
            case Message():
                self._interchanges[-1]["sets"].append(self._message(event))
            case GroupEnd():
                self._group = ""
                self._envelope(event.faults)
            case InterchangeEnd():
                self._envelope(event.faults)
            case Stray():
                place = {"byte": event.offset, "line": event.line}
                self._errors.append(_error("syntax", event.error) | place)
            case _:
                pass

    def result(self) -> Json:
        """All that was found."""
        if not self._interchanges and not self._errors:
            self._errors.append(_error("syntax", EnvelopeFault("interchange_missing", "UNB")))
        parts = [each for i in self._interchanges for each in (i, *i["sets"])]
        ok = not self._errors and not any(part["errors"] for part in parts)
        return {"ok": ok, "errors": self._errors, "interchanges": self._interchanges}

    def _begin(self, event: InterchangeStart) -> None:
        unb = event.unb
        self._marks = event.delimiters
        self._interchanges.append(
            {
                "control_number": part(unb, 5),
                "sender": _party(unb, 2),
                "receiver": _party(unb, 3),
                "usage": "T" if part(unb, 11) == "1" else "P",
                "byte": event.offset,
                "errors": [],
                "sets": [],
            }
        )
        self._envelope(event.faults)

    def _envelope(self, faults: Iterable[EnvelopeFault]) -> None:
        errors = self._interchanges[-1]["errors"] if self._interchanges else self._errors
        errors += [_error("syntax", fault) for fault in faults]

    def _message(self, read_: Message) -> Json:
        kind, version = read_.type, read_.version
        errors = [_error("syntax", fault) for fault in read_.faults]
        release = release_for(part(read_.unh, 2, 2), part(read_.unh, 2, 3))
        body: Json = {}
        if kind not in MESSAGES:
            errors.append(_error("guide", EnvelopeFault("message_unsupported", "UNH0201")))
        elif release is None:
            errors.append(_error("guide", EnvelopeFault("version_unsupported", "UNH0202")))
        else:
            guide = load_guide(kind, release)
            checked = check(guide, read_.segments, self._marks, escaped=read_.escaped)
            faults = checked.faults or findings(read_.segments, self._marks)
            errors += [_placed(fault, read_) for fault in faults]
            body = {"message": kind, "version": version, **checked.areas}
        return {
            "type": kind,
            "version": version,
            "control_number": read_.reference,
            "group": self._group,
            "segments": len(read_.segments),
            "verdict": "rejected" if errors else "accepted",
            "errors": errors,
            "body": body,
        }


def _party(unb: Parts, at: int) -> str:
    """A side of an interchange as ``14:4012345500004``, like other formats are shown."""
    return f"{part(unb, at, 2)}:{part(unb, at, 1)}"


def _placed(fault: Fault, read_: Message) -> Json:
    level = "application" if fault.code in APPLICATION_CODES else "guide"
    place = read_.place(min(fault.position, len(read_.segments)))
    where = {"segment": fault.position, "byte": place.offset, "line": place.line}
    return _error(level, fault) | where


def _error(level: str, found: object) -> Json:
    """An error or a fault as it is shown."""
    said = {name: getattr(found, name) for name in ("code", "where", "detail")}
    return {"level": level, **said}


INSPECTOR = EdifactInspector()
"""EDIFACT files as `connectors.registry` knows them."""
