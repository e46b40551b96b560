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

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

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

    def told(self, subject: str) -> Json:
        """The error as JSON, with its sentence.

        Args:
            subject: the document or envelope that it is in: ``850 ST 0001``.

        """
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
        if self.code in _NOT_AMONG or (
            self.expected and self.code in _LENGTHS and "," in self.expected
        ):
            return f"{shown or 'the code'} is not in the guide ({self.expected})"
        if shown and self.expected and self.code in _LENGTHS:
            return f"{shown} has {len(self.value or '')} characters, expected {self.expected}"
        words = words.partition("; expected ")[0]
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{shown}: {words}{expected}" if shown else words + expected


_NOT_AMONG = frozenset({"code_invalid", "partner_code_unused"})
_LENGTHS = frozenset({"element_too_long", "element_too_short", "partner_element_length"})


def _shown(value: str) -> str:
    short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in short)


class Report:
    """Collects what is found in one file, in its order."""

    def __init__(self, *, tolerant: bool, bodies: bool = True) -> None:
        self._tolerant = tolerant
        self._bodies = bodies
        self._errors: list[Json] = []
        self._interchanges: list[Json] = []
        self._group_begins = 0
        self._any_refused = False
        self._refused = {"interchange": False, "group": False}
        """Whether all that is still to come in what is open is refused with it."""

    def begin(self, interchange: Json) -> None:
        """Note the start of an interchange: its number, sender, receiver, usage, byte."""
        self._interchanges.append({**interchange, "groups": 0, "sets": []})
        self._group_begins = 0
        self._refused = {"interchange": False, "group": False}

    def begin_group(self) -> None:
        """Note the start of a group."""
        self._interchanges[-1]["groups"] += 1
        self._group_begins = len(self._interchanges[-1]["sets"])
        self._refused["group"] = False

    def end_group(self) -> None:
        """Note the end of a group, once all that is wrong with it is noted."""
        self._refused["group"] = False

    def stray(self, found: Found) -> None:
        """Note that the file cannot be read on."""
        self._errors.append(found.told(""))
        self._any_refused = True

    def envelope(self, subject: str, found: list[Found], *, group: bool) -> None:
        """Note what is wrong with a group or an interchange: what is not tolerated rejects its sets.

        Args:
            subject: ``GS 1`` or ``ISA 000000905``.
            found: what is wrong.
            group: the sets since its group began are meant, and not all of the interchange.

        """
        number = self._interchanges[-1]["control_number"] if self._interchanges else ""
        self._errors += [{"interchange": number, **each.told(subject)} for each in found]
        if self._interchanges and any(not self._tolerates(each) for each in found):
            self._refused["group" if group else "interchange"] = self._any_refused = True
            sets = self._interchanges[-1]["sets"]
            for each in sets[self._group_begins if group else 0 :]:
                each["verdict"] = "rejected"

    def acknowledges(self, said: Json) -> None:
        """Note a TA1 of the open interchange."""
        self._interchanges[-1].setdefault("acknowledges", []).append(said)

    def add(self, subject: str, one: Json, found: list[Found], *, checked: bool) -> None:
        """Note a set or message.

        Args:
            subject: ``850 ST 0001``.
            one: its type, version, control_number, group and segments, and its body.
            found: what is wrong with it.
            checked: a guide exists for it.

        """
        verdict = "accepted" if checked else "unchecked"
        if any(self._refused.values()) or not all(map(self._tolerates, found)):
            verdict = "rejected"
        elif found:
            verdict = "accepted_with_errors"
        body = {"body": one.pop("body")}
        errors = {"errors": [each.told(subject) for each in found]}
        told = {**one, "verdict": verdict, **errors, **(body if self._bodies else {})}
        self._interchanges[-1]["sets"].append(told)

    def result(self) -> Json:
        """All that was found."""
        sets = [each for interchange in self._interchanges for each in interchange["sets"]]
        return {
            "ok": not self._errors and not any(each["errors"] for each in sets),
            "verdict": self._verdict({each["verdict"] for each in sets}),
            "errors": self._errors,
            "interchanges": self._interchanges,
        }

    def _verdict(self, verdicts: set[str]) -> str:
        if not verdicts:
            return "rejected" if self._any_refused else self._mild()
        if "rejected" in verdicts:
            return "rejected" if verdicts == {"rejected"} else "partly_accepted"
        if verdicts == {"unchecked"} and not self._errors:
            return "unchecked"
        return "accepted_with_errors" if "accepted_with_errors" in verdicts else self._mild()

    def _mild(self) -> str:
        return "accepted_with_errors" if self._errors else "accepted"

    def _tolerates(self, found: Found) -> bool:
        return found.noted or (self._tolerant and found.tolerated)
