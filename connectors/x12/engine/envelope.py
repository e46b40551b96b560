"""The structure of interchanges: ISA, GS, ST, SE, GE, IEA; their counts and control numbers.

`walk` turns what the reader gives into a flat series of events. Every start has its end, also
where the data are cut or a trailer is missing: the end then says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.x12.engine.batch import Batch
from connectors.x12.engine.control import (
    disagreement,
    element,
    group_number,
    interchange_number,
    set_number,
)
from connectors.x12.engine.delimiters import Delimiters, Header
from connectors.x12.engine.faults import EnvelopeFault
from connectors.x12.engine.reader import Stray

_CONTROL = frozenset({"GS", "ST", "SE", "GE", "IEA", "TA1", "ISB", "ISE"})
"""Segments that make the envelope; everything else belongs into a transaction set."""

_BEGIN = ["GS", "ST"]
"""What the segments after an ISA begin with."""

_NONE: frozenset[str] = frozenset()
"""No control numbers came before."""

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


def walk(items: Iterable[Header | Batch | Stray]) -> Iterator[Event]:
    """Follow the envelopes of a stream."""
    walker = _Walker()
    for item in items:
        if isinstance(item, Batch):
            yield from walker.whole(item) or walker.batch(item)
        else:
            yield from walker.cut()
            yield walker.open(item) if isinstance(item, Header) else item
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
        faults = header.faults() + interchange_number(element(header.segment, 13))
        return InterchangeStart(header.segment, header.delimiters, header.offset, faults)

    def cut(self) -> list[Event]:
        """The interchange ends without its IEA."""
        if self._isa is None:
            return []
        ends = self._close_group(None)
        self._isa = None
        return [*ends, InterchangeEnd([EnvelopeFault("interchange_truncated", "IEA")])]

    def whole(self, batch: Batch) -> list[Event] | None:
        """Follow all that comes after an ISA, where it is one group of one set and without fault.

        Most interchanges are like that; None: this is another, which `batch` is to follow.
        """
        segments, tags, texts = batch.segments, batch.tags, batch.texts
        if self._groups or tags[:2] != _BEGIN or not _CONTROL.isdisjoint(tags[2:-3]):
            return None
        gs, st = segments[:2]
        group, number = element(gs, 6), element(st, 2)
        count = str(len(segments) - 3)  # GS, GE and IEA are not the set's
        interchange = element(self._isa or [], 13)
        end = [["SE", count, number], ["GE", "1", group], ["IEA", "1", interchange]]
        if segments[-3:] != end or group_number(group, _NONE) or set_number(number, _NONE):
            return None
        self._isa = None
        texts = None if texts is None else texts[1:-2]
        return [
            GroupStart(gs, []),
            TransactionSet(segments[1:-2], [], [(0, batch, 1)], texts),
            GroupEnd("1", []),
            InterchangeEnd(self._faults),
        ]

    def batch(self, batch: Batch) -> Iterator[Event]:
        """Follow consecutive segments; a set's are taken over as slices."""
        segments = batch.segments
        start = 0
        for index in [at for at, tag in enumerate(batch.tags) if tag in _CONTROL]:
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
        faults = group_number(number, self._group_numbers)
        self._group_numbers.add(number)
        return GroupStart(gs, faults)

    def _close_set(self, se: list[str] | None) -> list[Event]:
        current = self._set
        if current is None:
            return []
        self._set = None
        return [self._ended(current, se)]

    def _ended(self, current: TransactionSet, se: list[str] | None) -> TransactionSet:
        self._sets += 1
        number = current.control_number
        current.faults += set_number(number, self._set_numbers)
        self._set_numbers.add(number)
        if se is None:
            current.faults.append(EnvelopeFault("set_trailer_missing", "SE"))
        else:
            current.faults += disagreement("set", se, "SE", number, len(current.segments))
        return current

    def _close_group(self, ge: list[str] | None) -> list[Event]:
        ends = self._close_set(None)
        if self._gs is None:
            return ends
        return [*ends, self._group_ended(self._gs, ge)]

    def _group_ended(self, gs: list[str], ge: list[str] | None) -> GroupEnd:
        self._gs = None
        faults = []
        if not self._sets:
            faults.append(EnvelopeFault("group_empty", "GE01"))
        if ge is None:
            faults.append(EnvelopeFault("group_trailer_missing", "GE"))
        else:
            faults += disagreement("group", ge, "GE", element(gs, 6), self._sets)
        return GroupEnd(element(ge or [], 1), faults)

    def _close(self, iea: list[str]) -> InterchangeEnd:
        number = element(self._isa or [], 13)
        self._isa = None
        self._faults += disagreement("interchange", iea, "IEA", number, self._groups)
        return InterchangeEnd(self._faults)
