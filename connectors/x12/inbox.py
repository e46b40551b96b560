"""What becomes of an interchange: its documents, its refusals, and the answers that we owe.

Pure bookkeeping over the events of `engine.envelope`. Nothing of an interchange counts before its
IEA was seen and agreed with what came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC
from hashlib import sha256
from itertools import pairwise

from canonical.errors import Rejected
from connectors.base import Answer, Decoded, Interchange, Receipt, Refusal, SourceDocument
from connectors.x12.agreed import Agreed
from connectors.x12.config import X12Config
from connectors.x12.confirm import FLOWS, confirmations
from connectors.x12.engine.ack import (
    GroupResult,
    SetResult,
    acknowledgment,
    application_advice,
    implementation_acknowledgment,
    interchange_acknowledgment,
)
from connectors.x12.engine.application import application_faults
from connectors.x12.engine.checker import check
from connectors.x12.engine.envelope import (
    Acknowledged,
    Event,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    TransactionSet,
)
from connectors.x12.engine.faults import INTERCHANGE_CODES, EnvelopeFault, Fault
from connectors.x12.engine.guide import release_of
from connectors.x12.engine.levels import KEY as LEVELS
from connectors.x12.engine.levels import nested
from connectors.x12.engine.reader import Stray
from connectors.x12.engine.tree import Node
from connectors.x12.groups import GROUPS
from connectors.x12.splitting import split

MAPPED = (
    "850", "860", "855", "940", "943", "944", "945", "947", "846", "856", "810", "820", "204",
    "990", "214", "210",
)  # fmt: skip
"""Transaction sets that become canonical documents."""

_NOT_HERE = frozenset({"partner_unknown", "receiver_unknown", "usage_mismatch"})
"""Interchanges that are not this connection's, so that their numbers are not either."""

_SETS = frozenset(each for sets in GROUPS.values() for each in sets)

_ISA, _GS = 16, 8
"""How many elements they have (X12.5)."""

_ACKNOWLEDGMENTS = "FA"
"""The group of 997s and 999s, which are never acknowledged themselves (X12 997, note 1)."""


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
    application: list[Fault] = field(default_factory=list)
    """What the third level of checks finds, where an 824 was agreed."""

    @property
    def advised(self) -> Rejected | None:
        """What refuses a set that keeps its guide."""
        if not self.application:
            return None
        first = self.application[0]
        return Rejected(first.code, first.where, f"{first.detail}; segment {first.position}")


@dataclass(slots=True)
class _Group:
    """A functional group that was read."""

    gs: list[str]
    """Its GS, as `_plain` gives it."""
    faults: list[EnvelopeFault]
    sets: list[_Set] = field(default_factory=list)
    declared: str = ""


@dataclass(slots=True)
class _Interchange:
    """An interchange that is being read."""

    isa: list[str]
    """Its ISA, as `_plain` gives it."""
    start: InterchangeStart
    error: EnvelopeFault | None
    """Why nothing of it may be processed."""
    faults: list[EnvelopeFault] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    acknowledgments: list[list[str]] = field(default_factory=list)
    """The TA1s in it."""


@dataclass(frozen=True, slots=True)
class _Closed:
    """An interchange that was read whole."""

    offset: int
    number: int
    documents: range
    answers: range
    conflict: Answer | None
    refused: bool
    """Nothing of it was processed."""


class Inbox:
    """Collects one receipt."""

    def __init__(self, config: X12Config, receipt: Receipt, agreed: Agreed) -> None:
        self._config = config
        self._agreed = agreed
        self._receipt = receipt
        self._tolerant = config.strictness == "tolerant"
        self._documents: list[SourceDocument | Refusal] = []
        self._answers: list[Answer] = []
        self._open: _Interchange | None = None
        self._offsets: list[int] = []
        self._closed: list[_Closed] = []

    def take(self, event: Event) -> None:
        """Note one event."""
        match event:
            case InterchangeStart():
                self._offsets.append(event.offset)
                isa = _plain(event.isa, _ISA)
                wrong = self._distrust(isa, event.faults)
                self._open = _Interchange(isa, event, wrong, event.faults)
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
        return Decoded(tuple(self._documents), tuple(self._answers), tuple(self._numbered()))

    def _numbered(self) -> Iterator[Interchange]:
        """The interchanges whose numbers the hub remembers."""
        if self._config.control_numbers == "unchecked":
            return
        ends = dict(pairwise([*self._offsets, len(self._receipt.body)]))
        for closed in self._closed:
            data = self._receipt.body[closed.offset : ends[closed.offset]].strip()
            digest = "" if closed.refused else sha256(data).hexdigest()
            yield Interchange(
                closed.number,
                digest,
                closed.documents,
                closed.answers,
                closed.conflict,
                scope=self._config.control_scope,
            )

    def _distrust(self, isa: list[str], faults: list[EnvelopeFault]) -> EnvelopeFault | None:
        """Why the interchange is not one that this connection may process."""
        qualifier, partner, _ = self._config.partner()
        if (isa[5], isa[6].upper()) != (qualifier, partner.upper()):
            return EnvelopeFault("partner_unknown", "ISA06")
        qualifier, us, _ = self._config.us()
        if (isa[7], isa[8].upper()) != (qualifier, us.upper()):
            return EnvelopeFault("receiver_unknown", "ISA08")
        if isa[15] != self._config.usage:
            return EnvelopeFault("usage_mismatch", "ISA15")
        return self._intolerable(faults)

    def _intolerable(self, faults: list[EnvelopeFault]) -> EnvelopeFault | None:
        if not faults:
            return None
        return next((fault for fault in faults if not (self._tolerant and fault.tolerable)), None)

    def _inside(self, interchange: _Interchange, event: Event) -> None:
        match event:
            case GroupStart():
                gs = _plain(event.gs, _GS)
                interchange.groups.append(_Group(gs, event.faults + _unsupported(gs)))
            case TransactionSet():
                group = interchange.groups[-1]
                group.sets.append(self._read(interchange, group, event))
            case GroupEnd():
                interchange.groups[-1].declared = event.declared
                interchange.groups[-1].faults += event.faults
            case Acknowledged():
                interchange.acknowledgments.append(event.segment)
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
        if wrong is None and not self._config.agrees(identifier):
            wrong = EnvelopeFault("set_unsupported", "ST01")
        if wrong is not None:
            found.envelope = [wrong, *read.faults]
        elif guide := self._agreed.guide(identifier, version := group.gs[8]):
            marks = interchange.start.delimiters
            checked = check(guide, read.segments, marks, read.texts)
            found.faults, found.areas = checked.faults, checked.areas
            found.faults = found.faults or self._agreed.faults(identifier, version, read.segments)
            if self._config.application_advice and not found.faults:
                found.application = application_faults(identifier, read.segments)
        fault = self._intolerable(found.envelope)
        if fault is not None:
            found.error = _rejected(fault)
        elif found.faults:
            found.error = _first(found.faults, read)
        return found

    def _finish(self, interchange: _Interchange) -> None:
        self._open = None
        where = f"ISA {_shown(interchange.isa[13])}"
        documents, answers = len(self._documents), len(self._answers)
        if interchange.error is not None:
            self._refuse(where, _rejected(interchange.error))
            self._answer_interchange(interchange)
            self._close(interchange, range(documents, documents + 1), answers)
            return
        for ta1 in interchange.acknowledgments:
            self._acknowledged(interchange, ta1, where)
        if not interchange.groups and not interchange.acknowledgments:
            self._refuse(where, _rejected(EnvelopeFault("interchange_empty", "GS")))
        self._answer_interchange(interchange)
        for group in interchange.groups:
            self._finish_group(interchange, group, where)
        self._close(interchange, range(documents, len(self._documents)), answers)

    def _close(self, interchange: _Interchange, documents: range, answers: int) -> None:
        number, error = interchange.isa[13], interchange.error
        if error is not None and error.code in _NOT_HERE:
            return
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):  # noqa: PLR2004  # element I12
            return
        conflict = None
        if self._config.interchange_acknowledge != "none" and interchange.groups:
            code = INTERCHANGE_CODES["interchange_number_conflict"][0]
            conflict = self._interchange_answer(interchange, "R", code)
        owed = range(answers, len(self._answers))
        offset = interchange.start.offset
        refused = error is not None
        self._closed.append(_Closed(offset, int(number), documents, owed, conflict, refused))

    def _answer_interchange(self, interchange: _Interchange) -> None:
        """Owe a TA1, where it was agreed; what only carries TA1s is never answered with one."""
        agreed, error = self._config.interchange_acknowledge, interchange.error
        asked = interchange.isa[14] == "1"
        owed = agreed == "always" or (asked and agreed != "none")
        owed = owed or (error is not None and agreed == "errors")
        if not owed or (interchange.acknowledgments and not interchange.groups):
            return
        if error is not None:
            answer = self._interchange_answer(interchange, "R", error.ack)
        elif interchange.faults:
            answer = self._interchange_answer(interchange, "E", interchange.faults[0].ack)
        else:
            answer = self._interchange_answer(interchange, "A", "000")
        self._answers.append(answer)

    def _interchange_answer(self, interchange: _Interchange, code: str, note: str) -> Answer:
        version = self._config.version
        return Answer("TA1", interchange_acknowledgment(interchange.isa, code, note, version))

    def _acknowledged(self, interchange: _Interchange, segment: list[str], where: str) -> None:
        """Take a TA1 over: its sender's word on one of our interchanges."""
        values = {f"TA1{at:02d}": value for at, value in enumerate(segment[1:6], 1) if value}
        body = {"transaction_set": "TA1", "version": self._config.version, "TA1": values}
        said = confirmations("TA1", body, self._config.control_scope)
        if not said:
            self._refuse(f"{where} TA1", _rejected(EnvelopeFault("ta1_invalid", "TA101")))
            return
        isa = interchange.isa
        document = SourceDocument(
            flow="TA1",
            position=len(self._documents),
            where=f"{where} TA1",
            body=body,
            control={
                "isa13": isa[13],
                "sender": isa[6],
                "receiver": isa[8],
                "usage": isa[15],
                "warnings": ",".join(fault.code for fault in interchange.faults),
            },
            confirms=said,
        )
        self._documents.append(document)

    def _finish_group(self, interchange: _Interchange, group: _Group, where: str) -> None:
        where = f"{where} GS {_shown(group.gs[6])}"
        answered = self._config.acknowledge != "none" and group.gs[1] != _ACKNOWLEDGMENTS
        fault = self._intolerable(group.faults)
        refused = None if fault is None else _rejected(fault)
        for found in group.sets:
            place = f"{where} ST {_shown(found.control_number)}"
            error = refused or found.error or found.advised
            if error is not None:
                told = answered or (found.advised is not None and refused is None)
                self._refuse(place, error, found.identifier, answered=told)
            else:
                self._accept(interchange, group, found, place)
        if refused is not None and not group.sets:
            self._refuse(where, refused, answered=answered)
        if answered:
            self._answer_group(group, trusted=refused is None)

    def _answer_group(self, group: _Group, *, trusted: bool) -> None:
        result = _result(group, trusted)
        if self._config.acknowledge == "999":
            self._answers.append(Answer("999", implementation_acknowledgment(result)))
        else:
            body = acknowledgment(result, self._config.version)
            self._answers.append(Answer("997", body))
        if trusted and any(found.application for found in group.sets):
            self._advise(group, result)

    def _advise(self, group: _Group, result: GroupResult) -> None:
        """Owe an 824 for each set that keeps its guide and is wrong all the same."""
        day = self._receipt.received_at.astimezone(UTC).strftime("%Y%m%d")
        for found, said in zip(group.sets, result.sets, strict=True):
            if found.application:
                advised = replace(said, faults=found.application)
                advice = application_advice(result, advised, day, self._config.version)
                self._answers.append(Answer("824", advice))

    def _accept(self, interchange: _Interchange, group: _Group, found: _Set, where: str) -> None:
        isa, gs = interchange.isa, group.gs
        nested(found.areas)
        warnings = [*interchange.faults, *group.faults, *found.envelope]
        version = gs[8]
        flow = found.identifier
        control = {
            "isa13": isa[13],
            "gs06": gs[6],
            "st02": found.control_number,
            "sender": isa[6],
            "receiver": isa[8],
            "usage": isa[15],
            "version": version,
            "warnings": ",".join(fault.code for fault in warnings),
        }
        for place, areas in split(flow, found.areas):
            body = {
                "transaction_set": flow,
                "version": version,
                "control_number": found.control_number,
                **areas,
            }
            scope = self._config.control_scope
            said = confirmations(flow, body, scope) if flow in FLOWS else ()
            position = len(self._documents)
            self._documents.append(
                SourceDocument(
                    flow,
                    position,
                    where + place,
                    body,
                    control,
                    said,
                    textual=LEVELS not in areas.get("detail", ()),  # HL loops nest as they like
                )
            )

    def _refuse(
        self, where: str, error: Rejected, flow: str = "", *, answered: bool = False
    ) -> None:
        position = len(self._documents)
        flow = flow if flow in _SETS else ""
        self._documents.append(Refusal(position, where, error, flow, answered=answered))


def _plain(segment: list[str], elements: int) -> list[str]:
    """A control segment without the blanks around its elements, as long as it should be."""
    plain = [value.strip(" ") for value in segment]
    return plain if len(plain) > elements else plain + [""] * (elements + 1 - len(plain))


def _unsupported(gs: list[str]) -> list[EnvelopeFault]:
    if gs[1] not in GROUPS:
        return [EnvelopeFault("group_unsupported", "GS01")]
    if release_of(gs[8]) is None:
        return [EnvelopeFault("version_unsupported", "GS08")]
    return []


def _misplaced(gs: list[str], identifier: str) -> EnvelopeFault | None:
    """What is wrong with a set of this identifier in this group."""
    if identifier in GROUPS.get(gs[1], ()):
        return None
    known = len(identifier) == 3 and identifier.isalnum()  # noqa: PLR2004  # element 143
    fits = known and identifier not in _SETS
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
    return GroupResult(gs[1], gs[6], group.declared, sets, group.faults, gs[8])


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
    return "".join(filter(_is_harmless, number))[:9] or "?"


def _is_harmless(character: str) -> bool:
    return character.isascii() and character.isalnum()
