"""The structure of interchanges: UNB, UNG, UNH, UNT, UNE, UNZ; their counts and references.

`walk` turns what the reader gives into a flat series of events. Every start has its end, also
where the data are cut or a trailer is missing: the end then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.edifact.engine.delimiters import Delimiters, Header, refused
from connectors.edifact.engine.faults import EnvelopeFault
from connectors.edifact.engine.marks import table
from connectors.edifact.engine.reader import Batch, Place, Stray, split

_CONTROL = frozenset({"UNG", "UNH", "UNT", "UNE", "UNZ"})
"""Segments that make the envelope; everything else belongs into a message."""

_SYNTAXES = "1234"

Parts = list[list[str]]
"""A service segment: its elements as lists of components; the tag is element 0."""


@dataclass(frozen=True, slots=True)
class InterchangeStart:
    """A UNB was read, or a UNH where one should have been."""

    unb: Parts
    """[] where there is none."""
    delimiters: Delimiters
    offset: int
    faults: list[EnvelopeFault]

    @property
    def syntax(self) -> str:
        """The syntax version (0002), one digit."""
        return part(self.unb, 1, 2)[:1]


@dataclass(frozen=True, slots=True)
class GroupStart:
    """A UNG was read."""

    ung: Parts
    faults: list[EnvelopeFault]


@dataclass(slots=True)
class Message:
    """A whole message was read, or what there is of it."""

    unh: Parts
    segments: list[list[str]]
    """From its UNH to its UNT; the UNT is missing where the faults say so."""
    faults: list[EnvelopeFault] = field(default_factory=list)
    escaped: bool = False
    """Stand-ins may stand in its segments (see `marks`)."""
    pieces: list[tuple[int, Batch, int]] = field(default_factory=list)
    """(first segment, its batch, its index there): where the message was cut into batches."""

    @property
    def reference(self) -> str:
        """The message reference number (0062); "" where it is missing."""
        return part(self.unh, 1)

    @property
    def type(self) -> str:
        """The message type (0065), such as ORDERS."""
        return part(self.unh, 2, 1)

    @property
    def version(self) -> str:
        """Version and release (0052, 0054), such as D96A."""
        return part(self.unh, 2, 2) + part(self.unh, 2, 3)

    def place(self, position: int) -> Place:
        """Where in the stream the segment at `position` begins; UNH is 1."""
        first, batch, index = next(
            piece for piece in reversed(self.pieces) if piece[0] < position or piece[0] == 0
        )
        return batch.place(index + position - 1 - first)


@dataclass(frozen=True, slots=True)
class GroupEnd:
    """A UNE was read, or should have been."""

    faults: list[EnvelopeFault]


@dataclass(frozen=True, slots=True)
class InterchangeEnd:
    """A UNZ was read, or should have been."""

    faults: list[EnvelopeFault]


Event = InterchangeStart | GroupStart | Message | GroupEnd | InterchangeEnd | Stray


def part(parts: Parts, element: int, component: int = 1) -> str:
    """A component of a service segment; "" where the segment is too short for it.

    Blanks around it do not count: many pad to a fixed width.
    """
    if element >= len(parts) or component > len(parts[element]):
        return ""
    return parts[element][component - 1].strip(" ")


def parts_of(segment: list[str], marks: Delimiters) -> Parts:
    """A segment's elements, split into components, with the characters that were released."""
    split = [element.split(marks.component) for element in segment]
    if all(map(str.isascii, segment)):  # stand-ins are not
        return split
    escapes = table(marks)
    return [[component.translate(escapes) for component in element] for element in split]


def walk(items: Iterable[Header | Batch | Stray]) -> Iterator[Event]:
    """Follow the envelopes of a stream."""
    walker = _Walker()
    for item in items:
        if isinstance(item, Batch):
            yield from walker.batch(item)
        elif isinstance(item, Header):
            yield from walker.cut()
            yield walker.open(item)
        else:
            yield from walker.cut()
            yield item
    yield from walker.cut()


class _Walker:
    """Where in the envelopes the stream stands."""

    def __init__(self) -> None:
        self._unb: Parts | None = None
        self._marks = Delimiters()
        self._ung: Parts | None = None
        self._message: Message | None = None
        self._faults: list[EnvelopeFault] = []
        self._group_references: set[str] = set()
        self._message_references: set[str] = set()
        self._types: set[str] = set()
        self._groups = 0
        self._alone = 0
        """Messages that stand in no group."""
        self._grouped = 0
        """Messages of the open group."""
        self._messages = 0
        self._nested = 0
        self._is_told = False
        """That something stands behind the UNZ."""

    def open(self, header: Header) -> InterchangeStart:
        self._marks = header.delimiters
        unb = parts_of(split(header.text, self._marks), self._marks) if header.text else []
        self._unb = unb
        self._faults = []
        self._group_references, self._message_references = set(), set()
        self._groups = self._alone = self._messages = self._nested = 0
        self._is_told = False
        return InterchangeStart(unb, self._marks, header.offset, _header_faults(unb))

    def cut(self) -> Iterator[Event]:
        """The interchange ends without its UNZ; what begins at a UNH has none."""
        if self._unb is not None:
            yield from self._close_group(None)
            faults = [EnvelopeFault("interchange_truncated", "UNZ")] if self._unb else []
            self._unb = None
            yield InterchangeEnd([*self._faults, *faults])

    def batch(self, batch: Batch) -> Iterator[Event]:
        """Follow consecutive segments; a message's are taken over as slices."""
        segments = batch.segments
        if self._is_closed():
            yield from self._behind(batch, 0)
            return
        start = 0
        for index, segment in enumerate(segments):
            if segment[0] in _CONTROL:
                self._take(batch, start, index)
                start = index + 1
                yield from self._control(segment, batch, index)
                if self._is_closed():
                    yield from self._behind(batch, start)
                    return
        self._take(batch, start, len(segments))

    def _is_closed(self) -> bool:
        return self._unb is None

    def _behind(self, batch: Batch, index: int) -> Iterator[Event]:
        """What stands behind a UNZ that was wrapped, so that the reader could not know it as one."""
        if index < len(batch.segments) and not self._is_told:
            self._is_told = True
            place = batch.place(index)
            yield Stray(refused("interchange_missing", "UNB"), place.offset, place.line)

    def _take(self, batch: Batch, start: int, end: int) -> None:
        if start == end:
            return
        message = self._message
        if message is None:
            self._stray(batch.segments[start])
            return
        message.pieces.append((len(message.segments), batch, start))
        message.segments += batch.segments[start:end]
        message.escaped = message.escaped or batch.escaped

    def _stray(self, segment: list[str]) -> None:
        tag = segment[0] if segment[0].isalpha() and segment[0].isascii() else ""
        fault = EnvelopeFault("interchange_content_invalid", tag[:3])
        if not any(found.code == fault.code for found in self._faults):
            self._faults.append(fault)

    def _control(self, segment: list[str], batch: Batch, index: int) -> Iterator[Event]:
        tag = segment[0]
        if tag == "UNH":
            yield from self._close_message(None, nested=True)
            unh = parts_of(segment, self._marks)
            self._message = Message(unh, [segment], [], batch.escaped, [(0, batch, index)])
        elif tag == "UNT" and self._message is not None:
            self._message.pieces.append((len(self._message.segments), batch, index))
            yield from self._close_message(segment)
        elif tag == "UNG":
            yield from self._close_group(None)
            yield self._open_group(segment)
        elif tag == "UNE" and self._ung is not None:
            yield from self._close_group(segment)
        elif tag == "UNZ" and self._unb:
            yield from self._close_group(None)
            yield self._close(segment)
        else:
            self._stray(segment)

    def _open_group(self, segment: list[str]) -> GroupStart:
        self._ung = parts_of(segment, self._marks)
        self._groups += 1
        self._grouped = 0
        self._types = set()
        self._message_references = set()  # unique in their group (element 0062)
        faults = _reference_faults("group", "UNG05", part(self._ung, 5), self._group_references)
        return GroupStart(self._ung, faults)

    def _close_message(self, unt: list[str] | None, *, nested: bool = False) -> Iterator[Event]:
        current = self._message
        if current is None:
            return
        self._message = None
        self._messages += 1
        if self._ung is None:
            self._alone += 1
        else:
            self._grouped += 1
            self._types.add(current.type)
        reference = current.reference
        faults = _reference_faults("message", "UNH01", reference, self._message_references)
        if unt is None:
            self._nested += nested
            code = "message_nested" if nested else "message_trailer_missing"
            faults.insert(0, EnvelopeFault(code, "UNT"))
        else:
            current.segments.append(unt)
            parts = parts_of(unt, self._marks)
            count = len(current.segments)
            if part(parts, 2) != reference or not _is_count(part(parts, 1), count):
                faults += _other("message", "UNT02", part(parts, 2), reference)
                faults += _uncounted("message", "UNT01", part(parts, 1), {count})
        current.faults = faults
        yield current

    def _close_group(self, une: list[str] | None) -> Iterator[Event]:
        yield from self._close_message(None)
        if self._ung is None:
            return
        faults = []
        if not self._grouped:
            faults.append(EnvelopeFault("group_empty", "UNE01"))
        if len(self._types) > 1:
            faults.append(EnvelopeFault("group_type_mixed", "UNG01"))
        if une is None:
            faults.append(EnvelopeFault("group_trailer_missing", "UNE"))
        else:
            parts = parts_of(une, self._marks)
            faults += _other("group", "UNE02", part(parts, 2), part(self._ung, 5))
            faults += _uncounted("group", "UNE01", part(parts, 1), {self._grouped})
        self._ung = None
        yield GroupEnd(faults)

    def _close(self, unz: list[str]) -> InterchangeEnd:
        faults = self._faults
        parts = parts_of(unz, self._marks)
        faults += _other("interchange", "UNZ02", part(parts, 2), part(self._unb or [], 5))
        # With groups UNZ counts groups, else messages (ISO 9735-1, element 0036).
        if self._groups and self._alone:
            faults.append(EnvelopeFault("interchange_mixed", "UNG"))
        count = self._groups or self._messages
        # Who nests messages may or may not count the inner ones: that they are nested is the fault.
        counts = {count, count - self._nested}
        faults += _uncounted("interchange", "UNZ01", part(parts, 1), counts)
        self._unb = None
        return InterchangeEnd(faults)


def _header_faults(unb: Parts) -> list[EnvelopeFault]:
    if not unb:
        return [EnvelopeFault("interchange_header_missing", "UNB")]
    faults = []
    if part(unb, 1, 2)[:1] not in tuple(_SYNTAXES):
        faults.append(EnvelopeFault("syntax_unsupported", "UNB0102"))
    if not part(unb, 5):
        faults.append(EnvelopeFault("interchange_reference_missing", "UNB05"))
    return faults


def _reference_faults(
    level: str, where: str, reference: str, known: set[str]
) -> list[EnvelopeFault]:
    """What is wrong with a reference of a group or message; notes it as known."""
    if not reference:
        return [EnvelopeFault(f"{level}_reference_missing", where)]
    duplicate = reference in known
    known.add(reference)
    return [EnvelopeFault(f"{level}_reference_duplicate", where)] if duplicate else []


def _other(level: str, where: str, said: str, reference: str) -> Iterator[EnvelopeFault]:
    """A trailer with another reference than its header."""
    if said != reference:
        yield EnvelopeFault(f"{level}_control_mismatch", where, said, reference)


def _uncounted(level: str, where: str, said: str, counts: set[int]) -> Iterator[EnvelopeFault]:
    """A trailer that counts what stands before it otherwise than in one of the right ways."""
    if not any(_is_count(said, count) for count in counts):
        yield EnvelopeFault(f"{level}_count_mismatch", where, said, str(max(counts)))


def _is_count(text: str, count: int) -> bool:
    plain = text.isascii() and text.isdecimal() and len(text) <= 10  # noqa: PLR2004  # element 0036 has 6
    return plain and int(text) == count
