"""What becomes of an interchange: its documents, its refusals, and the answers that we owe.

Pure bookkeeping over the events of `engine.envelope`. Nothing of an interchange counts before its
UNZ was seen and agreed with what came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

from canonical.errors import Rejected
from connectors.base import Answer, Decoded, Interchange, Receipt, Refusal, SourceDocument
from connectors.edifact.config import EdifactConfig
from connectors.edifact.confirm import FLOWS, confirmations
from connectors.edifact.engine.aperak import refusal
from connectors.edifact.engine.application import findings
from connectors.edifact.engine.checker import check
from connectors.edifact.engine.contrl import GroupResult, MessageResult, answer
from connectors.edifact.engine.directory import Reading
from connectors.edifact.engine.envelope import (
    Event,
    GroupEnd,
    GroupStart,
    InterchangeEnd,
    InterchangeStart,
    Message,
    Parts,
    part,
)
from connectors.edifact.engine.faults import EnvelopeFault, Fault
from connectors.edifact.engine.reader import Stray
from connectors.edifact.engine.tree import Node
from connectors.edifact.guides_of import Guides, other_directory, reading_of
from connectors.edifact.splitting import split

INBOUND = (
    "ORDERS", "ORDCHG", "ORDRSP", "DESADV", "RECADV", "INVOIC", "INVRPT", "IFTSTA", "CONTRL",
    "APERAK",
)  # fmt: skip
"""Messages that partners may send us."""

_ANSWERS = frozenset({"CONTRL"})
"""Never answered by a CONTRL themselves."""

_UNANSWERABLE = frozenset({"partner_unknown", "receiver_unknown", "interchange_header_missing"})
"""Faults of which nobody can be told: the sender is not this partner, or is not named."""

_NOT_HERE = frozenset({"partner_unknown", "receiver_unknown", "usage_mismatch"})
"""Interchanges that are not this connection's, so that their references are not either."""

_REFERENCE = 14
"""Characters of an interchange control reference (element 0020)."""


@dataclass(slots=True)
class _Message:
    """A message that was read."""

    unh: Parts
    faults: list[Fault]
    envelope: list[EnvelopeFault]
    error: Rejected | None
    """What refuses it by itself."""
    wrong: EnvelopeFault | None = None
    """The same, where it is the message as a whole."""
    found: list[Fault] = field(default_factory=list)
    """What an application has against it."""
    areas: dict[str, Node] = field(default_factory=dict)
    directory: str = ""
    """Whose guide it is read by."""

    @property
    def type(self) -> str:
        return part(self.unh, 2, 1)


@dataclass(slots=True)
class _Group:
    """A group that was read; `ung` is [] for messages that stand in none."""

    ung: Parts
    faults: list[EnvelopeFault] = field(default_factory=list)
    messages: list[_Message] = field(default_factory=list)


@dataclass(slots=True)
class _Interchange:
    """An interchange that is being read."""

    start: InterchangeStart
    error: EnvelopeFault | None
    """Why nothing of it may be processed."""
    faults: list[EnvelopeFault] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    in_group: bool = False
    types: set[str] = field(default_factory=set)
    """The types of all messages that were seen in it."""


@dataclass(frozen=True, slots=True)
class _Closed:
    """An interchange that was read whole and whose reference counts."""

    offset: int
    reference: str
    documents: range
    answers: range
    conflict: Answer | None
    refused: bool
    """Nothing of it was processed."""


class Inbox:
    """Collects one receipt."""

    def __init__(self, config: EdifactConfig, receipt: Receipt, guides: Guides) -> None:
        self._config = config
        self._receipt = receipt
        self._guides = guides
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
                self._open = _Interchange(event, self._distrust(event), event.faults)
            case Stray():
                self._refuse(f"byte {event.offset} line {event.line}", event.error)
            case _ if self._open is not None:
                self._inside(self._open, event)
            case _:
                pass

    def result(self) -> Decoded:
        """All that the receipt holds; a receipt that holds nothing is refused."""
        if not self._documents:
            self._refuse("byte 0", EnvelopeFault("interchange_missing", "UNB").rejected())
        return Decoded(tuple(self._documents), tuple(self._answers), tuple(self._numbered()))

    def _numbered(self) -> Iterator[Interchange]:
        """The interchanges whose references the hub remembers."""
        if self._config.control_numbers == "unchecked":
            return
        ends = dict(pairwise([*self._offsets, len(self._receipt.body)]))
        for closed in self._closed:
            data = self._receipt.body[closed.offset : ends[closed.offset]].strip()
            plain = closed.reference.isascii() and closed.reference.isdecimal()
            yield Interchange(
                int(closed.reference) if plain else 0,
                "" if closed.refused else sha256(data).hexdigest(),
                closed.documents,
                closed.answers,
                closed.conflict,
                closed.reference,
                "UNB05",
                self._config.control_scope,
            )

    def _distrust(self, start: InterchangeStart) -> EnvelopeFault | None:
        """Why the interchange is not one that this connection may process."""
        unb, config = start.unb, self._config
        if unb:
            if not _is(unb, 2, config.partner_id, config.partner_qualifier):
                return EnvelopeFault("partner_unknown", "UNB02")
            if not _is(unb, 3, config.our_id, config.our_qualifier):
                return EnvelopeFault("receiver_unknown", "UNB03")
            if (part(unb, 11) == "1") != (config.usage == "T"):
                return EnvelopeFault("usage_mismatch", "UNB11")
        return self._intolerable(start.faults)

    def _intolerable(self, faults: list[EnvelopeFault]) -> EnvelopeFault | None:
        return next((fault for fault in faults if not (self._tolerant and fault.tolerable)), None)

    def _inside(self, interchange: _Interchange, event: Event) -> None:
        match event:
            case GroupStart():
                interchange.groups.append(_Group(event.ung, event.faults))
                interchange.in_group = True
            case GroupEnd():
                interchange.groups[-1].faults += event.faults
                interchange.in_group = False
            case Message():
                interchange.types.add(event.type)
                if interchange.error is None:
                    self._add(interchange, self._read(interchange, event))
            case InterchangeEnd():
                interchange.faults = [*interchange.faults, *event.faults]
                interchange.error = interchange.error or self._intolerable(event.faults)
                self._finish(interchange)
            case _:
                pass

    def _add(self, interchange: _Interchange, message: _Message) -> None:
        groups = interchange.groups
        if not groups or (bool(groups[-1].ung) and not interchange.in_group):
            groups.append(_Group([]))
        groups[-1].messages.append(message)

    def _read(self, interchange: _Interchange, read: Message) -> _Message:
        by = reading_of(read)
        found = _Message(read.unh, [], [*other_directory(by), *read.faults], None)
        wrong = _unsupported(read, by)
        if wrong is None and not self._config.agrees(read.type):
            wrong = EnvelopeFault("message_unsupported", "UNH0201")
        if wrong is not None:
            found.envelope = [wrong, *read.faults]
        elif by is not None:
            found.directory = by.release
            guide = self._guides.guide(read.type, by.release)
            marks = interchange.start.delimiters
            checked = check(guide, read.segments, marks, escaped=read.escaped)
            found.faults, found.areas = checked.faults, checked.areas
            if not found.faults and self._config.application != "off":
                found.found = findings(read.segments, marks)
        self._judge(found, read)
        return found

    def _judge(self, found: _Message, read: Message) -> None:
        found.wrong = self._intolerable(found.envelope)
        if found.wrong is not None:
            found.error = found.wrong.rejected()
        elif found.faults:
            found.error = _first(found.faults, read)
        elif found.found and self._config.application == "refuse":
            found.error = _first(found.found, read)

    def _finish(self, interchange: _Interchange) -> None:
        self._open = None
        where = f"UNB {_shown(part(interchange.start.unb, 5))}"
        messages = sum(len(group.messages) for group in interchange.groups)
        if interchange.error is None and not messages:
            interchange.error = EnvelopeFault("interchange_empty", "UNZ")
        answered, first = self._answers_to(interchange), len(self._answers)
        documents = len(self._documents)
        if interchange.error is not None:
            answered = answered and interchange.error.code not in _UNANSWERABLE
            self._refuse(where, interchange.error.rejected(), answered=answered)
        else:
            for group in interchange.groups:
                self._finish_group(interchange, group, where, answered=answered)
        if answered:
            groups = [self._result(group) for group in interchange.groups]
            body = answer(interchange.start.unb, interchange.error, groups)
            self._answers.insert(first, Answer("CONTRL", body))
        if interchange.error is None or interchange.error.code not in _NOT_HERE:
            self._close(interchange, range(documents, len(self._documents)), first)

    def _close(self, interchange: _Interchange, documents: range, answers: int) -> None:
        """Note the reference of an interchange that counts."""
        reference = part(interchange.start.unb, 5)[:_REFERENCE]
        if not reference:
            return
        conflict = None
        if self._config.acknowledge != "none" and not interchange.types <= _ANSWERS:
            # Whether it asked for an answer or not: it is refused.
            fault = EnvelopeFault("interchange_number_conflict", "UNB05")
            conflict = Answer("CONTRL", answer(interchange.start.unb, fault, []))
        owed = range(answers, len(self._answers))
        offset, refused = interchange.start.offset, interchange.error is not None
        self._closed.append(_Closed(offset, reference, documents, owed, conflict, refused))

    def _answers_to(self, interchange: _Interchange) -> bool:
        """Whether a CONTRL is owed."""
        wanted = self._config.acknowledge
        unb = interchange.start.unb
        only_answers = bool(interchange.types) and interchange.types <= _ANSWERS
        if wanted == "none" or only_answers or not unb:
            return False
        if wanted == "always":
            return True
        refused = interchange.error is not None or any(
            self._intolerable(group.faults) or any(each.error for each in group.messages)
            for group in interchange.groups
        )
        return refused if wanted == "errors" else part(unb, 9) == "1"

    def _result(self, group: _Group) -> GroupResult:
        rejected = [
            MessageResult(each.unh, each.faults, each.wrong)
            for each in group.messages
            # An application's findings are told by an APERAK, not by a CONTRL.
            if each.wrong is not None or each.faults
        ]
        return GroupResult(group.ung, self._intolerable(group.faults), rejected)

    def _finish_group(
        self, interchange: _Interchange, group: _Group, where: str, *, answered: bool
    ) -> None:
        fault = self._intolerable(group.faults)
        if group.ung:
            where = f"{where} UNG {_shown(part(group.ung, 5))}"
        if fault is not None and not group.messages:
            self._refuse(where, fault.rejected(), answered=answered)
        for message in group.messages:
            place = f"{where} UNH {_shown(part(message.unh, 1))}"
            if fault is not None:
                self._refuse(place, fault.rejected(), message.type, answered=answered)
            elif message.error is None:
                self._accept(interchange, group, message, place)
            elif message.found:
                self._refuse(place, message.error, message.type, answered=self._config.aperak)
                self._object(interchange, message)
            else:
                told = answered and message.type not in _ANSWERS
                self._refuse(place, message.error, message.type, answered=told)

    def _object(self, interchange: _Interchange, message: _Message) -> None:
        """Tell the sender what an application has against a message, where that is agreed."""
        if not self._config.aperak:
            return
        unb, bgm = interchange.start.unb, message.areas.get("heading", {}).get("BGM", {})
        sides = self._config.our_id, self._config.partner_id
        number = bgm.get("BGM0201", "")
        body = refusal(part(unb, 5), part(message.unh, 1), number, message.found, sides)
        self._answers.append(Answer("APERAK", body))

    def _accept(
        self, interchange: _Interchange, group: _Group, message: _Message, where: str
    ) -> None:
        unb, unh = interchange.start.unb, message.unh
        faults = [*interchange.faults, *group.faults, *message.envelope]
        warnings = [fault.code for fault in faults] + [fault.code for fault in message.found]
        version = part(unh, 2, 2) + part(unh, 2, 3)
        control = {
            "unb05": part(unb, 5),
            "unh01": part(unh, 1),
            "sender": part(unb, 2),
            "receiver": part(unb, 3),
            "usage": "T" if part(unb, 11) == "1" else "P",
            "version": version,
            "directory": message.directory,
            "association": part(unh, 2, 5),
            "warnings": ",".join(dict.fromkeys(warnings)),
        }
        head = {"message": message.type, "version": version, "reference": part(unh, 1)}
        for place, areas in split(message.type, message.areas):
            position = len(self._documents)
            body = {**head, **areas}
            scope = self._config.control_scope
            said = confirmations(message.type, body, scope) if message.type in FLOWS else ()
            document = SourceDocument(message.type, position, where + place, body, control, said)
            self._documents.append(document)

    def _refuse(
        self, where: str, error: Rejected, flow: str = "", *, answered: bool = False
    ) -> None:
        position = len(self._documents)
        flow = flow if flow in INBOUND else ""
        self._documents.append(Refusal(position, where, error, flow, answered=answered))


def _is(unb: Parts, at: int, party: str, qualifier: str | None) -> bool:
    """Whether one side of an interchange is who we think; case and padding do not count."""
    if part(unb, at, 1).upper() != party.upper():
        return False
    return qualifier is None or part(unb, at, 2) == qualifier


def _unsupported(read: Message, by: Reading | None) -> EnvelopeFault | None:
    if read.type not in INBOUND:
        return EnvelopeFault("message_unsupported", "UNH0201")
    return None if by else EnvelopeFault("version_unsupported", "UNH0202")


def _first(faults: list[Fault], read: Message) -> Rejected:
    """The first fault, with how a person finds it, and how many more there are."""
    fault = faults[0]
    position = min(fault.position, len(read.segments))
    place = read.place(position)
    group = f" in group {fault.group}" if fault.group else ""
    at = f"; segment {fault.position}{group}, line {place.line}, byte {place.offset}"
    more = f"; {len(faults) - 1} more" if len(faults) > 1 else ""
    return Rejected(fault.code, fault.where, fault.detail + at + more)


def _shown(number: str) -> str:
    """A reference as part of a place: short and harmless, as it comes from data."""
    return "".join(filter(_is_plain, number))[:14] or "?"


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()
