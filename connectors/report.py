"""What was found in an EDI file, as JSON for scripts and with a sentence for people.

One object a file: ``ok``, ``verdict``, ``errors`` (of the file, its interchanges and groups) and
``interchanges``: each with ``control_number``, ``sender``, ``receiver``, ``usage``, ``byte``,
``groups`` (how many), ``acknowledges`` (what its TA1s say) and ``sets``: each with ``type``,
``version``, ``control_number``, ``group``, ``segments`` (how many), ``verdict``, ``errors`` and
``body``, the source document.

Verdicts of a set: ``accepted``, ``accepted_with_errors`` (the hub would take it over all the same),
``rejected``, and ``unchecked``: no guide exists for it, so that only its syntax is known to be right. A file is also
``partly_accepted``. ``ok`` is false where anything is wrong, tolerated or not.

An error has ``level`` (``syntax``, ``guide``, ``application`` or ``partner``), ``code``, ``where``,
``detail`` and ``message``, and where they are known ``segment`` (its ordinal in the set), ``byte``,
``line``, ``value`` and ``expected``. Only ``value`` and ``message`` hold what stands in the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from connectors.base import ConnectorConfig
from connectors.pile import Json, Kept, Pile

_LONGEST = 40
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that is wrong."""

    level: str
    code: str
    where: str
    detail: str
    """In plain words, without any value of the file's."""
    tolerated: bool = False
    """A tolerant connection accepts it."""
    noted: bool = False
    """Every connection accepts it, unless it was agreed that it does not."""
    segment: int | None = None
    """Its ordinal in the set or message; the first is 1."""
    byte: int | None = None
    line: int | None = None
    named: str = ""
    """The element as its standard calls it: ``(Unit or Basis for Measurement Code, 355)``."""
    value: str | None = None
    """What stands there; None: nothing does, or it is not told."""
    expected: str = ""
    """What may stand there: codes, or a length."""

    def told(self, subject: str, *, hidden: bool = False) -> Json:
        """The error as JSON, with its sentence.

        Args:
            subject: the document or envelope that it is in: ``850 ST 0001``.
            hidden: say all of it but the value that stands there.

        """
        if hidden:
            return replace(self, value=None).told(subject)
        known = {
            "segment": self.segment,
            "byte": self.byte,
            "line": self.line,
            "value": self.value,
            "expected": self.expected or None,
        }
        return {
            "level": self.level,
            "code": self.code,
            "where": self.where,
            "detail": self.detail,
            "message": self._sentence(subject),
            **{name: value for name, value in known.items() if value is not None},
        }

    def _sentence(self, subject: str) -> str:
        place = " ".join([self.where.replace(".", " "), self.named]).strip()
        at = f" at segment {self.segment}" if self.segment else ""
        lead = ", ".join(part for part in (subject, place + at) if part)
        return f"{lead}: {self._problem()}" if lead else self._problem()

    def _problem(self) -> str:
        words = self.detail.removeprefix(f"{self.named} ") if self.named else self.detail
        shown = "" if self.value is None else f'"{_shown(self.value)}"'
        if self.code in _NOT_AMONG:
            return f"{shown or 'the code'} is not in the guide ({self.expected})"
        if shown and self.expected and self.code in _LENGTHS:
            count = len(self.value or "")
            characters = "1 character" if count == 1 else f"{count} characters"
            return f"{shown} has {characters}, expected {self.expected}"
        words = words.partition("; expected ")[0]
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{shown}: {words}{expected}" if shown else words + expected


_NOT_AMONG = frozenset({"code_invalid", "partner_code_unused"})
_LENGTHS = frozenset({"element_too_long", "element_too_short", "partner_element_length"})


def _shown(value: str) -> str:
    short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in short)


@dataclass(frozen=True, slots=True)
class Look:
    """How a file is looked into."""

    config: ConnectorConfig | None = None
    """Of the connection by which it would come: its guides and strictness count, and whether the
    file is from this partner. None: it may be anybody's."""
    tolerant: bool = False
    """Without `config`, judge as a connection with ``strictness: tolerant`` does."""
    bodies: bool = True
    """Keep the documents: of a large file they are many times its size."""
    pile: Callable[[], Pile] = Kept
    """Where what is found is kept."""
    hidden: bool = False
    """Errors say nothing of the value that stands there."""

    def report(self, *, tolerant: bool) -> Report:
        """A report on a file that is judged so."""
        return Report(tolerant=tolerant, look=self)


DEFAULT = Look()
"""Strictly, as anybody's file, with its documents, in memory."""


class Report:
    """Collects what is found in one file, in its order.

    What is found is put on piles, so that a file of any size may be reported on; what it says of a
    set becomes certain where its interchange ends, and is told when all is known.
    """

    def __init__(self, *, tolerant: bool, look: Look = DEFAULT) -> None:
        self._tolerant = tolerant
        self._bodies, self._hidden = look.bodies, look.hidden
        self._errors, self._parts = look.pile(), look.pile()
        self._count = 0
        """Errors of the file, its interchanges and groups."""
        self._of_sets = 0
        """Errors of its sets."""
        self._any_refused = False
        self._open: Json = {}
        """The interchange that is open."""
        self._at = self._group = 0
        """Ordinals of the open interchange, and of the open group or the space between two."""
        self._refused: dict[str, set[int]] = {"interchange": set(), "group": set()}
        """The ordinals of those that are refused with all that is in them."""
        self._verdicts: dict[str, Counter[str]] = {
            "file": Counter(), "interchange": Counter(), "group": Counter(),
        }  # fmt: skip
        """How often each occurs in what is closed and in what is open, not counting twice."""

    def begin(self, interchange: Json) -> None:
        """Note the start of an interchange: its number, sender, receiver, usage, byte."""
        self._end()
        self._open = {"control_number": interchange["control_number"], "groups": 0}
        self._at += 1
        self._parts.put({"interchange": interchange})

    def begin_group(self) -> None:
        """Note the start of a group."""
        self._close_group()
        self._open["groups"] += 1

    def end_group(self) -> None:
        """Note the end of a group, once all that is wrong with it is noted."""
        self._close_group()

    def stray(self, found: Found) -> None:
        """Note that the file cannot be read on."""
        self._put_error(found.told("", hidden=self._hidden))
        self._any_refused = True

    def envelope(self, subject: str, found: list[Found], *, group: bool) -> None:
        """Note what is wrong with a group or an interchange: what is not tolerated rejects its sets.

        Args:
            subject: ``GS 1`` or ``ISA 000000905``.
            found: what is wrong.
            group: the sets of its group are meant, and not all of the interchange.

        """
        number = self._open.get("control_number", "")
        for each in found:
            self._put_error({"interchange": number, **each.told(subject, hidden=self._hidden)})
        if self._open and any(not self._tolerates(each) for each in found):
            self._any_refused = True
            self._refuse("group")
            if not group:
                self._refused["interchange"].add(self._at)
                self._refuse("interchange")

    def acknowledges(self, said: Json) -> None:
        """Note a TA1 of the open interchange."""
        self._open.setdefault("acknowledges", []).append(said)

    def add(self, subject: str, one: Json, found: list[Found], *, checked: bool) -> None:
        """Note a set or message.

        Args:
            subject: ``850 ST 0001``.
            one: its type, version, control_number, group and segments, and its body.
            found: what is wrong with it.
            checked: a guide exists for it.

        """
        verdict = "accepted" if checked else "unchecked"
        if self._is_refused(self._at, self._group) or not all(map(self._tolerates, found)):
            verdict = "rejected"
        elif found:
            verdict = "accepted_with_errors"
        body = {"body": one.pop("body")}
        errors = {"errors": [each.told(subject, hidden=self._hidden) for each in found]}
        told = {**one, "verdict": verdict, **errors, **(body if self._bodies else {})}
        self._parts.put({"set": told, "of": [self._at, self._group]})
        self._of_sets += len(found)
        self._verdicts["group"][verdict] += 1

    def close(self) -> None:
        """Note the end of the file: from here on, it can be told what was found."""
        self._end()

    @property
    def ok(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.faults

    @property
    def faults(self) -> int:
        """How many errors there are."""
        return self._count + self._of_sets

    @property
    def documents(self) -> int:
        """How many sets there are."""
        return self._verdicts["file"].total()

    @property
    def unchecked(self) -> int:
        """How many sets no guide exists for."""
        return self._verdicts["file"]["unchecked"]

    @property
    def verdict(self) -> str:
        """What becomes of the file."""
        verdicts = {name for name, count in self._verdicts["file"].items() if count}
        if not verdicts:
            return "rejected" if self._any_refused else self._mild()
        if "rejected" in verdicts:
            return "rejected" if verdicts == {"rejected"} else "partly_accepted"
        if verdicts == {"unchecked"} and not self._count:
            return "unchecked"
        return "accepted_with_errors" if "accepted_with_errors" in verdicts else self._mild()

    def errors(self) -> Iterator[Json]:
        """Yield what is wrong with the file, its interchanges and groups."""
        yield from self._errors

    def parts(self) -> Iterator[tuple[str, Json]]:
        """Yield what the file holds: ``interchange`` with its head, each ``set``, ``end`` with the rest.

        The end holds ``groups`` and, where it has TA1s, ``acknowledges``.
        """
        for part in self._parts:
            if "set" not in part:
                yield next(iter(part.items()))
            elif self._is_refused(*part["of"]):
                yield "set", {**part["set"], "verdict": "rejected"}
            else:
                yield "set", part["set"]

    def result(self) -> Json:
        """All that was found, as one object."""
        self.close()
        head = {"ok": self.ok, "verdict": self.verdict, "errors": list(self.errors())}
        return head | {"interchanges": interchanges(self.parts())}

    def _put_error(self, told: Json) -> None:
        self._count += 1
        self._errors.put(told)

    def _is_refused(self, interchange: int, group: int) -> bool:
        return interchange in self._refused["interchange"] or group in self._refused["group"]

    def _refuse(self, name: str) -> None:
        """What is counted there is rejected; of a group, all that it still gets is, too."""
        if name == "group":
            self._refused["group"].add(self._group)
        self._verdicts[name] = Counter(rejected=self._verdicts[name].total())

    def _close_group(self) -> None:
        self._verdicts["interchange"] += self._verdicts["group"]
        self._verdicts["group"] = Counter()
        self._group += 1

    def _end(self) -> None:
        """Close the interchange that is open, if there is one."""
        self._close_group()
        self._verdicts["file"] += self._verdicts["interchange"]
        self._verdicts["interchange"] = Counter()
        if self._open:
            rest = {name: self._open[name] for name in self._open if name != "control_number"}
            self._parts.put({"end": rest})
        self._open = {}

    def _mild(self) -> str:
        return "accepted_with_errors" if self._count else "accepted"

    def _tolerates(self, found: Found) -> bool:
        return found.noted or (self._tolerant and found.tolerated)


def interchanges(parts: Iterable[tuple[str, Json]]) -> list[Json]:
    """The parts of a file put together."""
    found: list[Json] = []
    for kind, value in parts:
        if kind == "interchange":
            found.append({**value, "groups": 0, "sets": []})
        elif kind == "set":
            found[-1]["sets"].append(value)
        else:
            found[-1] |= value
    return found
