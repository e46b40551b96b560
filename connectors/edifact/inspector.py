"""Looking into EDIFACT files of whoever sent them: what they hold, and what is wrong at every level.

With a connection's options the partner's narrower guide and its strictness count, and whether the
file is from this partner at all; without them the standard's. All messages that guides exist for
are looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from canonical.errors import Rejected
from connectors.base import Json
from connectors.edifact.config import EdifactConfig
from connectors.edifact.engine.application import findings
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import Reading, load_guide
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
from connectors.edifact.engine.faults import EnvelopeFault, Fault
from connectors.edifact.engine.guide import Guide
from connectors.edifact.engine.reader import Stray, chunks_of, read
from connectors.edifact.guides_of import Guides, other_directory, reading_of
from connectors.edifact.paper import paper
from connectors.edifact.telling import told, told_envelope
from connectors.paper import Paper
from connectors.report import DEFAULT, Found, Look, Report

_LOOK = 4096
"""How far into a file its beginning is looked for, past a byte order mark and blanks."""

_BEGINNINGS = (b"UNA", b"UNB", b"UNG", b"UNH+")


class EdifactInspector:
    """Implements `connectors.inspectors.Inspector`."""

    def recognises(self, data: bytes) -> bool:
        """Whether the first thing in the file is a UNA, UNB, UNG or UNH."""
        start = data[:_LOOK].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x00\x1a")
        return start.startswith(_BEGINNINGS)

    def inspect(self, data: bytes, how: Look = DEFAULT) -> Json:
        """Say what a file holds and what is wrong with it."""
        return self.look(chunks_of(data), how).result()

    def look(self, chunks: Iterable[bytes], how: Look) -> Report:
        """Say the same of a file that is read while it is looked into."""
        own = how.config if isinstance(how.config, EdifactConfig) else None
        tolerant = how.tolerant if own is None else own.strictness == "tolerant"
        found = _File(own, how.report(tolerant=tolerant))
        for event in walk(read(chunks)):
            found.take(event)
        return found.report()

    def starts(self, chunks: Iterable[bytes]) -> Iterator[Json | Rejected]:
        """Say where interchanges begin, while they are read."""
        for event in walk(read(chunks)):
            if isinstance(event, InterchangeStart):
                yield _head(event)
            elif isinstance(event, Stray):
                yield event.error

    def options(self, interchange: Json) -> Json:
        """The options of a connection whose partner is the interchange's sender."""
        theirs, _, partner = interchange["sender"].partition(":")
        ours, _, us = interchange["receiver"].partition(":")
        return {
            "partner_qualifier": theirs or None,
            "partner_id": partner,
            "our_qualifier": ours or None,
            "our_id": us,
            "usage": interchange["usage"],
        }

    def paper(self, one: Json) -> Paper | None:
        """A set as a person reads it."""
        return paper(one["type"], one["version"], one["control_number"], one["body"])


def _head(event: InterchangeStart) -> Json:
    """What is said of an interchange."""
    unb = event.unb
    return {
        "control_number": part(unb, 5),
        "sender": _party(unb, 2),
        "receiver": _party(unb, 3),
        "usage": "T" if part(unb, 11) == "1" else "P",
        "byte": event.offset,
    }


class _File:
    """What was found so far."""

    def __init__(self, config: EdifactConfig | None, report: Report) -> None:
        self._config = config
        self._guides = Guides(config) if config is not None else None
        self._report = report
        self._marks = Delimiters()
        self._unb: Parts = []
        self._group = ""
        self._anything = False

    def take(self, event: object) -> None:
        """Note one event."""
        match event:
            case InterchangeStart():
                self._begin(event)
            case GroupStart():
                self._group = part(event.ung, 5)
                self._report.begin_group()
                self._told_group(event.faults)
            case Message():
                self._message(event)
            case GroupEnd():
                self._told_group(event.faults)
                self._report.end_group()
                self._group = ""
            case InterchangeEnd():
                self._told_interchange(event.faults)
            case Stray():
                self._anything = True
                error = event.error
                stray = Found("syntax", error.code, error.where, error.detail)
                self._report.stray(replace(stray, byte=event.offset, line=event.line))
            case _:
                pass

    def report(self) -> Report:
        """All that was found."""
        if not self._anything:
            self._report.stray(told_envelope(EnvelopeFault("interchange_missing", "UNB")))
        self._report.close()
        return self._report

    def _begin(self, event: InterchangeStart) -> None:
        unb = self._unb = event.unb
        self._anything = True
        self._marks = event.delimiters
        self._report.begin(_head(event))
        self._told_interchange([*event.faults, *self._strange(unb)])

    def _strange(self, unb: Parts) -> list[EnvelopeFault]:
        """What says that the interchange is not one of this connection."""
        config = self._config
        if config is None or not unb:
            return []
        found = []
        sides = (
            (2, config.partner_id, config.partner_qualifier, "partner_unknown"),
            (3, config.our_id, config.our_qualifier, "receiver_unknown"),
        )
        for at, name, qualifier, code in sides:
            is_known = part(unb, at, 1).upper() == name.upper()
            if not is_known or qualifier not in (None, part(unb, at, 2)):
                expected = f"{qualifier or ''}:{name}"
                found.append(EnvelopeFault(code, f"UNB{at:02d}", _party(unb, at), expected))
        usage = part(unb, 11)
        if (usage == "1") != (config.usage == "T"):
            expected = "1" if config.usage == "T" else "none"
            found.append(EnvelopeFault("usage_mismatch", "UNB11", usage, expected))
        return found

    def _told_interchange(self, faults: list[EnvelopeFault]) -> None:
        subject = f"UNB {part(self._unb, 5)}".rstrip()
        self._report.envelope(subject, [told_envelope(each) for each in faults], group=False)

    def _told_group(self, faults: list[EnvelopeFault]) -> None:
        found = list(map(told_envelope, faults))
        self._report.envelope(f"UNG {self._group}".rstrip(), found, group=True)

    def _message(self, read_: Message) -> None:
        found = list(map(told_envelope, read_.faults))
        if self._config is not None and not self._config.agrees(read_.type):
            agreed = ", ".join(self._config.messages)
            fault = EnvelopeFault("message_unsupported", "UNH0201", read_.type, agreed)
            found.append(told_envelope(fault))
        by = reading_of(read_)
        found += map(told_envelope, other_directory(by))
        guide = self._guide(read_.type, by)
        body: Json = {}
        if guide is not None:
            checked = check(guide, read_.segments, self._marks, escaped=read_.escaped)
            faults = _together(checked.faults, findings(read_.segments, self._marks))
            refuses = self._config is not None and self._config.application == "refuse"
            found += [told(each, read_, guide, self._marks, refuses=refuses) for each in faults]
            body = {"message": read_.type, "version": read_.version, **checked.areas}
        one = {
            "type": read_.type,
            "version": read_.version,
            "control_number": read_.reference,
            "group": self._group,
            "segments": len(read_.segments),
            "body": body,
        }
        subject = f"{read_.type} UNH {read_.reference}"
        self._report.add(subject, one, found, checked=guide is not None)

    def _guide(self, message: str, by: Reading | None) -> Guide | None:
        if by is None:
            return None
        if self._guides is not None:
            return self._guides.guide(message, by.release)
        return load_guide(message, by.release)


def _together(guide: list[Fault], application: list[Fault]) -> list[Fault]:
    """The faults of both levels by their places; of one place, the guide's alone."""
    known = {(each.position, each.element) for each in guide}
    found = [each for each in application if (each.position, each.element) not in known]
    return sorted([*guide, *found], key=lambda e: (e.position, e.element, e.component))


def _party(unb: Parts, at: int) -> str:
    """A side of an interchange as ``14:4012345500004``, like other formats are shown."""
    return f"{part(unb, at, 2)}:{part(unb, at, 1)}"


INSPECTOR = EdifactInspector()
"""EDIFACT files as `connectors.registry` knows them."""
