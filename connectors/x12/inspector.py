"""Looking into X12 files of whoever sent them: what they hold, and what is wrong at every level.

With a connection's options the partner's own guide and its strictness count, and whether the file
is from this partner at all; without them the standard's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from canonical.errors import Rejected
from connectors.base import Json
from connectors.paper import Paper
from connectors.report import DEFAULT, Found, Look, Report
from connectors.x12.agreed import Agreed, PartnerGuides
from connectors.x12.config import X12Config
from connectors.x12.engine.application import application_faults
from connectors.x12.engine.checker import check
from connectors.x12.engine.control import element
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.envelope import (
    Acknowledged,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    TransactionSet,
    walk,
)
from connectors.x12.engine.faults import EnvelopeFault, Fault
from connectors.x12.engine.levels import nested
from connectors.x12.engine.reader import Stray, chunks_of, read
from connectors.x12.paper import paper
from connectors.x12.telling import told, told_envelope

_LOOK = 4096
"""How far into a file its first ISA is looked for, past a byte order mark and blanks."""


class X12Inspector:
    """Implements `connectors.inspectors.Inspector`."""

    def recognises(self, data: bytes) -> bool:
        """Whether the first thing in the file is an ISA."""
        start = data[:_LOOK].removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x00\x1a")
        return start.startswith(b"ISA")

    def inspect(self, data: bytes, how: Look = DEFAULT) -> Json:
        """Say what a file holds and what is wrong with it."""
        return self.look(chunks_of(data), how).result()

    def look(self, chunks: Iterable[bytes], how: Look) -> Report:
        """Say the same of a file that is read while it is looked into."""
        own = how.config if isinstance(how.config, X12Config) else None
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
        sides = {"partner_qualifier": theirs, "partner_id": partner} | {
            "our_qualifier": ours,
            "our_id": us,
        }
        short = {"partner_group_id": f"{partner:0>2}", "our_group_id": f"{us:0>2}"}
        usage = interchange["usage"] if interchange["usage"] in {"P", "T"} else "P"
        return {**sides, **short, "usage": usage}

    def paper(self, one: Json) -> Paper | None:
        """A set as a person reads it."""
        return paper(one["type"], one["version"], one["control_number"], one["body"])


def _head(event: InterchangeStart) -> Json:
    """What is said of an interchange."""
    isa = event.isa
    return {
        "control_number": element(isa, 13),
        "sender": f"{element(isa, 5)}:{element(isa, 6)}",
        "receiver": f"{element(isa, 7)}:{element(isa, 8)}",
        "usage": element(isa, 15),
        "byte": event.offset,
    }


class _File:
    """What was found so far."""

    def __init__(self, config: X12Config | None, report: Report) -> None:
        self._config = config
        self._agreed = Agreed(config.guides if config is not None else PartnerGuides())
        self._report = report
        self._delimiters = Delimiters()
        self._isa: list[str] = []
        self._gs: list[str] = []
        self._interchanges = 0
        self._strays = 0

    def take(self, event: object) -> None:
        """Note one event."""
        match event:
            case InterchangeStart():
                self._begin(event)
            case GroupStart():
                self._gs = event.gs
                self._report.begin_group()
                self._group(event.faults)
            case TransactionSet():
                self._set(event)
            case GroupEnd():
                self._group(event.faults)
                self._report.end_group()
            case InterchangeEnd():
                self._interchange(event.faults)
            case Acknowledged():
                values = {f"TA1{at:02d}": v for at, v in enumerate(event.segment[1:6], 1) if v}
                self._report.acknowledges(values)
            case Stray():
                error = event.error
                self._strays += 1
                self._report.stray(
                    Found("syntax", error.code, error.where, error.detail, byte=event.offset)
                )
            case _:
                pass

    def report(self) -> Report:
        """All that was found."""
        if not self._interchanges and not self._strays:
            self._report.stray(told_envelope(EnvelopeFault("interchange_missing", "ISA")))
        self._report.close()
        return self._report

    def _begin(self, event: InterchangeStart) -> None:
        isa = self._isa = event.isa
        self._delimiters = event.delimiters
        self._interchanges += 1
        self._report.begin(_head(event))
        self._interchange([*event.faults, *self._strange(isa)])

    def _strange(self, isa: list[str]) -> list[EnvelopeFault]:
        """What says that the interchange is not one of this connection."""
        if self._config is None:
            return []
        found = []
        sides = ((5, self._config.partner(), "partner_unknown", "ISA06"),
                 (7, self._config.us(), "receiver_unknown", "ISA08"))  # fmt: skip
        for at, (qualifier, name, _), code, where in sides:
            if (element(isa, at), element(isa, at + 1).upper()) != (qualifier, name.upper()):
                value = f"{element(isa, at)}:{element(isa, at + 1)}"
                found.append(EnvelopeFault(code, where, value, f"{qualifier}:{name}"))
        usage = element(isa, 15)
        if usage != self._config.usage:
            found.append(EnvelopeFault("usage_mismatch", "ISA15", usage, self._config.usage))
        return found

    def _interchange(self, faults: list[EnvelopeFault]) -> None:
        subject = f"ISA {element(self._isa, 13)}" if self._isa else ""
        self._report.envelope(subject, list(map(told_envelope, faults)), group=False)

    def _group(self, faults: list[EnvelopeFault]) -> None:
        subject = f"GS {element(self._gs, 6)}"
        self._report.envelope(subject, list(map(told_envelope, faults)), group=True)

    def _set(self, read_: TransactionSet) -> None:
        identifier, version = read_.identifier, element(self._gs, 8)
        found = [told_envelope(fault) for fault in read_.faults]
        if self._config is not None and not self._config.agrees(identifier):
            agreed = ", ".join(self._config.sets)
            fault = EnvelopeFault("set_unsupported", "ST01", identifier, agreed)
            found.append(told_envelope(fault))
        body: Json = {}
        guide = self._agreed.guide(identifier, version)
        if guide is not None:
            # The check writes numbers plainly; what is shown is what stands in the file.
            segments = [list(segment) for segment in read_.segments]
            checked = check(guide, segments, self._delimiters)
            faults = _together(
                checked.faults,
                self._agreed.faults(identifier, version, segments),
                application_faults(identifier, segments),
            )
            found += [told(each, read_, guide, self._delimiters, self._config) for each in faults]
            nested(checked.areas)
            body = {"transaction_set": identifier, "version": version, **checked.areas}
        else:
            found += _binary(read_)
        one = {
            "type": identifier,
            "version": version,
            "control_number": read_.control_number,
            "group": element(self._gs, 6),
            "segments": len(read_.segments),
            "body": body,
        }
        subject = f"{identifier} ST {read_.control_number}"
        self._report.add(subject, one, found, checked=guide is not None)


_BINARY = {"BIN": 1, "BDS": 2}
"""Segments of binary data -> the element that says how long it is (X12.6, 3.5.2)."""


def _binary(read_: TransactionSet) -> Iterator[Found]:
    """Binary data that is not as long as it says: told without any guide, for it misleads readers."""
    for position, segment in enumerate(read_.segments, 1):
        at = _BINARY.get(segment[0])
        if at is None or _is_length(element(segment, at), element(segment, at + 1)):
            continue
        yield Found(
            "syntax",
            "binary_length_wrong",
            f"{segment[0]}.{segment[0]}{at:02d}",
            "not the number of bytes of the binary data",
            segment=position,
            byte=read_.offset(position),
            value=element(segment, at) or None,
            expected=str(len(element(segment, at + 1).encode(errors="replace"))),
        )


def _is_length(said: str, data: str) -> bool:
    return said.isascii() and said.isdecimal() and (said.lstrip("0") or "0") in _lengths(data)


def _lengths(data: str) -> set[str]:
    """How long data may be called: by its characters, where each was a byte, or as UTF-8."""
    return {str(len(data)), str(len(data.encode(errors="replace")))}


def _together(*levels: list[Fault]) -> list[Fault]:
    """The faults of all levels by their places; of one place, those of the first level alone."""
    found: list[Fault] = []
    for level in levels:
        known = {(each.position, each.tag, each.element) for each in found}
        found += [each for each in level if (each.position, each.tag, each.element) not in known]
    return sorted(found, key=lambda each: (each.position, each.element, each.component))


INSPECTOR = X12Inspector()
"""X12 files as `connectors.inspectors` knows them."""
