"""What becomes of an interchange: its documents, its refusals, and the answers that we owe.

Pure bookkeeping over the events of `engine.envelope`. Nothing of an interchange counts before its
IEA was seen and agreed with what came before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from canonical.errors import Rejected
from connectors.base import Answer, Decoded, Refusal, SourceDocument
from connectors.x12.config import X12Config
from connectors.x12.engine.ack import GroupResult, SetResult, acknowledgment
from connectors.x12.engine.checker import check
from connectors.x12.engine.envelope import (
    Acknowledged,
    Event,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    TransactionSet,
    element,
)
from connectors.x12.engine.faults import EnvelopeFault, Fault
from connectors.x12.engine.guide import load_guide, release_of
from connectors.x12.engine.reader import Stray
from connectors.x12.engine.tree import Node

GROUPS = {"PO": "850", "PC": "860", "SW": "945", "FA": "997"}
"""Functional group (GS01, element 479) -> the transaction set that partners may send in it."""

_ACKNOWLEDGMENTS = "FA"
"""The group of 997s, which are never acknowledged themselves (X12 997, note 1)."""


@dataclass(slots=True)
class _Set:
    """A transaction set that was read."""

    identifier: str
    control_number: str
    faults: list[Fault]
    envelope: list[EnvelopeFault]
    error: Rejected | None
    """What refuses it by itself."""
    areas: dict[str, Node] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """A functional group that was read."""

    gs: list[str]
    faults: list[EnvelopeFault]
    sets: list[_Set] = field(default_factory=list)
    declared: str = ""


@dataclass(slots=True)
class _Interchange:
    """An interchange that is being read."""

    isa: list[str]
    start: InterchangeStart
    error: EnvelopeFault | None
    """Why nothing of it may be processed."""
    faults: list[EnvelopeFault] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    acknowledgments: int = 0


class Inbox:
    """Collects one receipt."""

    def __init__(self, config: X12Config) -> None:
        self._config = config
        self._tolerant = config.strictness == "tolerant"
        self._documents: list[SourceDocument | Refusal] = []
        self._answers: list[Answer] = []
        self._open: _Interchange | None = None

    def take(self, event: Event) -> None:
        """Note one event."""
        match event:
            case InterchangeStart():
                self._open = _Interchange(event.isa, event, self._distrust(event), event.faults)
            case Stray():
                self._refuse(f"byte {event.offset}", event.error)
            case _ if self._open is not None and self._open.error is None:
                self._inside(self._open, event)
            case InterchangeEnd() if self._open is not None:
                self._finish(self._open)
            case _:
                pass

    def result(self) -> Decoded:
        """All that the receipt holds; a receipt that holds nothing is refused."""
        if not self._documents:
            self._refuse("byte 0", _rejected(EnvelopeFault("interchange_missing", "ISA")))
        return Decoded(tuple(self._documents), tuple(self._answers))

    def _distrust(self, start: InterchangeStart) -> EnvelopeFault | None:
        """Why the interchange is not one that this connection may process."""
        isa = start.isa
        sender = element(isa, 5), element(isa, 6).upper()
        receiver = element(isa, 7), element(isa, 8).upper()
        qualifier, partner, _ = self._config.partner()
        if sender != (qualifier, partner.upper()):
            return EnvelopeFault("partner_unknown", "ISA06")
        qualifier, us, _ = self._config.us()
        if receiver != (qualifier, us.upper()):
            return EnvelopeFault("receiver_unknown", "ISA08")
        if element(isa, 15) != self._config.usage:
            return EnvelopeFault("usage_mismatch", "ISA15")
        return self._intolerable(start.faults)

    def _intolerable(self, faults: list[EnvelopeFault]) -> EnvelopeFault | None:
        return next((fault for fault in faults if not (self._tolerant and fault.tolerable)), None)

    def _inside(self, interchange: _Interchange, event: Event) -> None:
        match event:
            case GroupStart():
                interchange.groups.append(_Group(event.gs, event.faults + _unsupported(event.gs)))
            case TransactionSet():
                group = interchange.groups[-1]
                group.sets.append(self._read(interchange, group, event))
            case GroupEnd():
                interchange.groups[-1].declared = event.declared
                interchange.groups[-1].faults += event.faults
            case Acknowledged():
                interchange.acknowledgments += 1
            case InterchangeEnd():
                interchange.faults += event.faults
                interchange.error = self._intolerable(event.faults)
                self._finish(interchange)
            case _:
                pass

    def _read(self, interchange: _Interchange, group: _Group, read: TransactionSet) -> _Set:
        identifier = read.identifier
        found = _Set(identifier, read.control_number, [], read.faults, None)
        wrong = _misplaced(group.gs, identifier)
        if wrong is not None:
            found.envelope = [wrong, *read.faults]
        elif guide := load_guide(identifier, element(group.gs, 8)):
            checked = check(guide, read.segments, interchange.start.delimiters)
            found.faults, found.areas = checked.faults, checked.areas
        fault = self._intolerable(found.envelope)
        if fault is not None:
            found.error = _rejected(fault)
        elif found.faults:
            found.error = _first(found.faults, read)
        return found

    def _finish(self, interchange: _Interchange) -> None:
        self._open = None
        where = f"ISA {_shown(element(interchange.isa, 13))}"
        if interchange.error is not None:
            self._refuse(where, _rejected(interchange.error))
            return
        for _ in range(interchange.acknowledgments):
            fault = EnvelopeFault("ta1_unsupported", "TA1")
            self._refuse(f"{where} TA1", _rejected(fault))
        if not interchange.groups and not interchange.acknowledgments:
            self._refuse(where, _rejected(EnvelopeFault("interchange_empty", "GS")))
        for group in interchange.groups:
            self._finish_group(interchange, group, where)

    def _finish_group(self, interchange: _Interchange, group: _Group, where: str) -> None:
        where = f"{where} GS {_shown(element(group.gs, 6))}"
        answered = self._config.acknowledge == "997" and element(group.gs, 1) != _ACKNOWLEDGMENTS
        fault = self._intolerable(group.faults)
        refused = None if fault is None else _rejected(fault)
        for found in group.sets:
            place = f"{where} ST {_shown(found.control_number)}"
            error = refused or found.error
            if error is not None:
                self._refuse(place, error, found.identifier, answered=answered)
            else:
                self._accept(interchange, group, found, place)
        if refused is not None and not group.sets:
            self._refuse(where, refused, answered=answered)
        if answered:
            body = acknowledgment(_result(group, refused is None), self._config.version)
            self._answers.append(Answer("997", body))

    def _accept(self, interchange: _Interchange, group: _Group, found: _Set, where: str) -> None:
        isa, gs = interchange.isa, group.gs
        warnings = [*interchange.faults, *group.faults, *found.envelope]
        version = element(gs, 8)
        document = SourceDocument(
            flow=found.identifier,
            position=len(self._documents),
            where=where,
            body={
                "transaction_set": found.identifier,
                "version": version,
                "control_number": found.control_number,
                **found.areas,
            },
            control={
                "isa13": element(isa, 13),
                "gs06": element(gs, 6),
                "st02": found.control_number,
                "sender": element(isa, 6),
                "receiver": element(isa, 8),
                "usage": element(isa, 15),
                "version": version,
                "warnings": ",".join(fault.code for fault in warnings),
            },
        )
        self._documents.append(document)

    def _refuse(
        self, where: str, error: Rejected, flow: str = "", *, answered: bool = False
    ) -> None:
        position = len(self._documents)
        flow = flow if flow in GROUPS.values() else ""
        self._documents.append(Refusal(position, where, error, flow, answered=answered))


def _unsupported(gs: list[str]) -> list[EnvelopeFault]:
    if element(gs, 1) not in GROUPS:
        return [EnvelopeFault("group_unsupported", "GS01")]
    if release_of(element(gs, 8)) is None:
        return [EnvelopeFault("version_unsupported", "GS08")]
    return []


def _misplaced(gs: list[str], identifier: str) -> EnvelopeFault | None:
    """What is wrong with a set of this identifier in this group."""
    if identifier == GROUPS.get(element(gs, 1)):
        return None
    known = len(identifier) == 3 and identifier.isalnum()  # noqa: PLR2004  # element 143
    fits = known and identifier not in GROUPS.values()
    return EnvelopeFault("set_unsupported" if fits else "set_identifier_invalid", "ST01")


def _result(group: _Group, trusted: bool) -> GroupResult:  # noqa: FBT001  # internal, one caller
    sets = [
        SetResult(
            found.identifier,
            found.control_number,
            found.faults,
            found.envelope,
            accepted=trusted and found.error is None,
        )
        for found in group.sets
    ]
    gs = group.gs
    return GroupResult(element(gs, 1), element(gs, 6), group.declared, sets, group.faults)


def _rejected(fault: EnvelopeFault) -> Rejected:
    return Rejected(fault.code, fault.where, fault.detail)


def _first(faults: list[Fault], read: TransactionSet) -> Rejected:
    """The first fault, with how a person finds it, and how many more there are."""
    fault = faults[0]
    position = min(fault.position, len(read.segments))
    detail = f"{fault.detail}; segment {fault.position}, byte {read.offset(position)}"
    more = f"; {len(faults) - 1} more" if len(faults) > 1 else ""
    return Rejected(fault.code, fault.where, detail + more)


def _shown(number: str) -> str:
    """A control number as part of a place: short and harmless, as it comes from data."""
    if number.isalnum() and number.isascii():
        return number[:9]
    return "".join(filter(_is_plain, number))[:9] or "?"


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()
