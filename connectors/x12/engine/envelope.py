"""The structure of interchanges: ISA, GS, ST, SE, GE, IEA; their counts and control numbers.

`walk` turns what the reader gives into a flat series of events. Every start has its end, also
where the data are cut or a trailer is missing: the end then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from canonical.errors import Rejected
from connectors.x12.engine.delimiters import Delimiters, Header
from connectors.x12.engine.faults import EnvelopeFault
from connectors.x12.engine.reader import Batch, Stray

_CONTROL = frozenset({"GS", "ST", "SE", "GE", "IEA", "TA1", "ISB", "ISE"})
"""Segments that make the envelope; everything else belongs into a transaction set."""

_SERVICES = frozenset({"ISB", "ISE"})
"""Grade of service requests, which old interchanges may carry after their ISA; without effect."""


# Not frozen: that costs three times as much to make, and several are made for every order.


@dataclass(slots=True)
class InterchangeStart:
    """An ISA was read."""

    isa: list[str]
    delimiters: Delimiters
    offset: int
    faults: list[EnvelopeFault]


@dataclass(slots=True)
class GroupStart:
    """A GS was read."""

    gs: list[str]
    faults: list[EnvelopeFault]


@dataclass(slots=True)
class TransactionSet:
    """A whole transaction set was read, or what there is of it."""

    segments: list[list[str]] = field(default_factory=list)
    """From its ST to its SE; the SE is missing where the faults say so."""
    faults: list[EnvelopeFault] = field(default_factory=list)
    pieces: list[tuple[int, Batch, int]] = field(default_factory=list)
    """(first segment, its batch, its index there): where the set was cut into batches."""
    texts: list[str] | None = field(default_factory=list)
    """The segments whole, as `engine.reader.Batch` has them; None where not every batch does."""

    def take(self, batch: Batch, start: int, end: int) -> None:
        """Take segments over from a batch."""
        self.pieces.append((len(self.segments), batch, start))
        self.segments += batch.segments[start:end]
        if batch.texts is None or self.texts is None:
            self.texts = None
        else:
            self.texts += batch.texts[start:end]

    @property
    def identifier(self) -> str:
        """ST01, such as 850; "" where it is missing."""
        return element(self.segments[0], 1)

    @property
    def control_number(self) -> str:
        """ST02; "" where it is missing."""
        return element(self.segments[0], 2)

    def offset(self, position: int) -> int:
        """The byte offset in the stream of the segment at `position`; ST is 1."""
        first, batch, index = next(
            piece for piece in reversed(self.pieces) if piece[0] < position or piece[0] == 0
        )
        return batch.offset(index + position - 1 - first)


@dataclass(slots=True)
class GroupEnd:
    """A GE was read, or should have been."""

    declared: str
    """GE01 as it was read; "" where the GE is missing."""
    faults: list[EnvelopeFault]


@dataclass(slots=True)
class InterchangeEnd:
    """An IEA was read, or should have been."""

    faults: list[EnvelopeFault]


@dataclass(slots=True)
class Acknowledged:
    """A TA1 stands in the interchange: its sender's answer to one of ours."""

    segment: list[str]


Event = (
    InterchangeStart
    | GroupStart
    | TransactionSet
    | GroupEnd
    | InterchangeEnd
    | Acknowledged
    | Stray
)


def element(segment: list[str], position: int) -> str:
    """An element of a control segment; "" where the segment is too short for it.

    Blanks around it do not count (X12.6, 3.5.1.5: trailing spaces are to be suppressed).
    """
    return segment[position].strip(" ") if position < len(segment) else ""


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
        self._isa: list[str] | None = None
        self._gs: list[str] | None = None
        self._set: TransactionSet | None = None
        self._faults: list[EnvelopeFault] = []
        self._group_numbers: set[str] = set()
        self._set_numbers: set[str] = set()
        self._groups = 0
        self._sets = 0

    def open(self, header: Header) -> InterchangeStart:
        self._isa = header.segment
        self._faults = []
        self._group_numbers = set()
        self._groups = 0
        faults = header.faults()
        control = element(header.segment, 13)
        if not (control.isascii() and control.isdecimal()):
            faults.append(EnvelopeFault("interchange_control_invalid", "ISA13"))
        return InterchangeStart(header.segment, header.delimiters, header.offset, faults)

    def cut(self) -> list[Event]:
        """The interchange ends without its IEA."""
        if self._isa is None:
            return []
        ends = self._close_group(None)
        self._isa = None
        return [*ends, InterchangeEnd([EnvelopeFault("interchange_truncated", "IEA")])]

    def batch(self, batch: Batch) -> Iterator[Event]:
        """Follow consecutive segments; a set's are taken over as slices."""
        segments = batch.segments
        start = 0
        for index in [at for at, segment in enumerate(segments) if segment[0] in _CONTROL]:
            tag = segments[index][0]
            last = tag == "SE" and self._set is not None
            self._take(batch, start, index + last)
            yield from self._control(segments[index])
            opened = tag == "ST" and self._set is not None
            start = index if opened else index + 1
        self._take(batch, start, len(segments))

    def _take(self, batch: Batch, start: int, end: int) -> None:
        if start == end:
            return
        if self._set is None:
            self._stray(batch.segments[start])
        else:
            self._set.take(batch, start, end)

    def _stray(self, segment: list[str]) -> None:
        """Note the first of them: how many there are depends on how the stream was cut."""
        tag = segment[0] if segment[0].isalnum() else ""
        fault = EnvelopeFault("interchange_content_invalid", tag[:3])
        if not any(found.code == fault.code for found in self._faults):
            self._faults.append(fault)

    def _control(self, segment: list[str]) -> list[Event]:  # noqa: PLR0911  # one per segment
        tag = segment[0]
        if tag == "ST" and self._gs is not None:
            ends = self._close_set(None)
            self._set = TransactionSet()
            return ends
        if tag == "SE" and self._set is not None:
            return self._close_set(segment)
        if tag == "GS":
            return [*self._close_group(None), self._open_group(segment)]
        if tag == "GE" and self._gs is not None:
            return self._close_group(segment)
        if tag == "IEA":
            return [*self._close_group(None), self._close(segment)]
        if tag == "TA1" and self._gs is None:
            return [Acknowledged(segment)]
        if tag not in _SERVICES or self._gs is not None:
            self._stray(segment)
        return []

    def _open_group(self, gs: list[str]) -> GroupStart:
        self._gs = gs
        self._groups += 1
        self._sets = 0
        self._set_numbers = set()
        number = element(gs, 6)
        faults = []
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):  # noqa: PLR2004  # element 28
            faults.append(EnvelopeFault("group_control_invalid", "GS06"))
        elif number in self._group_numbers:
            faults.append(EnvelopeFault("group_control_duplicate", "GS06"))
        self._group_numbers.add(number)
        return GroupStart(gs, faults)

    def _close_set(self, se: list[str] | None) -> list[Event]:
        current = self._set
        if current is None:
            return []
        self._set = None
        self._sets += 1
        number = current.control_number
        if not 4 <= len(number) <= 9:  # noqa: PLR2004  # element 329
            current.faults.append(EnvelopeFault("set_control_invalid", "ST02"))
        if number in self._set_numbers:
            current.faults.append(EnvelopeFault("set_control_duplicate", "ST02"))
        self._set_numbers.add(number)
        if se is None:
            current.faults.append(EnvelopeFault("set_trailer_missing", "SE"))
        else:
            count = len(current.segments)
            if element(se, 2) != number or not _is_count(element(se, 1), count):
                current.faults += _wrong("set", se, "SE", number, count)
        return [current]

    def _close_group(self, ge: list[str] | None) -> list[Event]:
        ends = self._close_set(None)
        if self._gs is None:
            return ends
        faults = []
        if not self._sets:
            faults.append(EnvelopeFault("group_empty", "GE01"))
        if ge is None:
            faults.append(EnvelopeFault("group_trailer_missing", "GE"))
        else:
            faults += _wrong("group", ge, "GE", element(self._gs, 6), self._sets)
        self._gs = None
        return [*ends, GroupEnd(element(ge or [], 1), faults)]

    def _close(self, iea: list[str]) -> InterchangeEnd:
        isa = self._isa or []
        faults = self._faults
        faults += _wrong("interchange", iea, "IEA", element(isa, 13), self._groups)
        self._isa = None
        return InterchangeEnd(faults)


def _wrong(
    level: str, trailer: list[str], tag: str, number: str, count: int
) -> Iterator[EnvelopeFault]:
    """What a trailer says otherwise than its header and what stands between them."""
    said, counted = element(trailer, 2), element(trailer, 1)
    if said != number:
        yield EnvelopeFault(f"{level}_control_mismatch", f"{tag}02", said, number)
    if not _is_count(counted, count):
        yield EnvelopeFault(f"{level}_count_mismatch", f"{tag}01", counted, str(count))


def _is_count(text: str, count: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) == count  # noqa: PLR2004  # longest: element 96, 97, I16


def as_rejected(fault: EnvelopeFault) -> Rejected:
    """The fault as the error that crosses the connector's boundary."""
    return Rejected(fault.code, fault.where, fault.detail)
