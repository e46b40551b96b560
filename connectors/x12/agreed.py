"""What was agreed with a partner about transaction sets, as the connection's options have it.

Under ``guides`` stands, by transaction set, what the partner's own guide narrows and adds:

```yaml
guides:
  "850":
    rules:
      - { at: BEG.BEG02, codes: [SA, NE] }
      - { at: REF, qualifiers: [DP, IA] }
      - { at: PO1_loop.PO1.PO107, use: required, length: [5, 12] }
      - { at: PO1_loop.SLN_loop, use: unused }
      - { at: N1_loop, max: 3 }
    segments:
      ZA1: { name: Store cluster, after: PO1_loop.PO1, elements: [127 M, 352 O], max: 5 }
```
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from connectors.x12.engine.faults import Fault
from connectors.x12.engine.guide import (
    Guide,
    GuideError,
    load_guide,
    release_of,
    releases,
    table_of,
)
from connectors.x12.engine.overlay import (
    Narrowed,
    Overlay,
    Own,
    Segments,
    compile_overlaid,
    impossible,
)

Place = Annotated[
    str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,2}(_loop)?(\.[A-Z][A-Z0-9]{1,4}(_loop)?)*$")
]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9]{1,2}$")]
SetId = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]

_ELEMENT = re.compile(r"([A-Z][A-Z0-9]{1,2}?)([0-9]{2})")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class PlaceRule(_Part):
    """What a partner's guide says of one loop, segment or element."""

    at: Place = Field(description="Where: loops and segment, then the element, joined by points.")
    use: Literal["required", "unused"] | None = Field(None, description="Whether it must be there.")
    max: int | None = Field(None, ge=1, description="How often at most, of a segment or loop.")
    codes: tuple[str, ...] = Field((), description="The only values of an element.")
    length: tuple[int, int] | None = Field(None, description="Least and most characters.")
    qualifiers: tuple[str, ...] = Field((), description="First elements that must all occur.")

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.length is not None and not 0 < self.length[0] <= self.length[1]:
            raise ValueError("length: expected the least and then the most characters, from 1")
        element = self.narrowed().element > 0
        if not element and (self.codes or self.length):
            raise ValueError("codes and length are of an element, such as BEG.BEG02")
        if element and (self.qualifiers or self.max):
            raise ValueError("qualifiers and max are not of an element")
        if self.qualifiers and self.at.endswith("_loop"):
            raise ValueError("qualifiers are of a segment, such as REF")
        return self

    def narrowed(self) -> Narrowed:
        """The rule as the engine takes it."""
        *loops, last = self.at.split(".")
        element = 0
        found = _ELEMENT.fullmatch(last)
        if loops and found and loops[-1] == found[1]:
            *loops, last = loops
            element = int(found[2])
        return Narrowed(
            place=(*loops, last),
            element=element,
            required=self.use == "required",
            unused=self.use == "unused",
            maximum=self.max,
            codes=frozenset(self.codes),
            lengths=self.length,
            qualifiers=self.qualifiers,
        )


class OwnSegment(_Part):
    """A segment that a partner adds to the standard's."""

    name: str = Field(description="What it is, for errors.")
    after: Place = Field(description="The segment or loop that it comes after.")
    elements: tuple[str, ...] = Field((), description="As in the guides: number and M, O or X.")
    notes: tuple[str, ...] = Field((), description="Syntax notes, such as P0102.")
    max: int = Field(1, ge=1, description="How often at most.")
    required: bool = Field(False, description="Whether it must be there.")  # noqa: FBT003  # a default

    def own(self, tag: str) -> Own:
        """The segment as the engine takes it."""
        row: dict[str, Any] = {"name": self.name, "elements": self.elements, "notes": self.notes}
        row["open"] = not self.elements
        use = f"{'M' if self.required else 'O'} {self.max}"
        return Own(tag, row, tuple(self.after.split(".")), use)


class SetGuide(_Part):
    """A partner's own guide of one transaction set."""

    rules: tuple[PlaceRule, ...] = ()
    segments: dict[Tag, OwnSegment] = {}


class PartnerGuides(_Part):
    """All of a partner's own guides."""

    sets: dict[SetId, SetGuide] = {}

    @model_validator(mode="before")
    @classmethod
    def _by_set(cls, given: object) -> object:
        return given if isinstance(given, PartnerGuides) else {"sets": given}

    @model_validator(mode="after")
    def _fit(self) -> Self:
        for identifier in self.sets:
            try:
                guides = [_overlaid(self, identifier, v) for v in releases()]
            except GuideError as error:
                raise ValueError(f"{identifier}: {error}") from None
            known = [each[0] for each in guides if each is not None]
            if not known:
                raise ValueError(f"{identifier}: no guide for this set")
            for rule in self.sets[identifier].rules:
                wrong = impossible(rule.narrowed(), known)
                if wrong:
                    raise ValueError(f"{identifier}: {rule.at}: {wrong}")
        return self


class Agreed:
    """The guides that one connection reads and writes with."""

    def __init__(self, own: PartnerGuides) -> None:
        self._own = own
        self._found: dict[tuple[str, str], tuple[Guide, Overlay] | None] = {}

    def guide(self, identifier: str, version: str) -> Guide | None:
        """The guide of a set, with the partner's own segments; None where there is none."""
        if identifier not in self._own.sets:
            return load_guide(identifier, version)
        found = self._overlaid(identifier, version)
        return found[0] if found else None

    def faults(self, identifier: str, version: str, segments: Segments) -> list[Fault]:
        """What only the partner's guide finds wrong with a set that keeps the standard's."""
        if identifier not in self._own.sets:
            return []
        found = self._overlaid(identifier, version)
        return found[1].faults(segments) if found else []

    def _overlaid(self, identifier: str, version: str) -> tuple[Guide, Overlay] | None:
        key = identifier, release_of(version) or ""
        if key not in self._found:
            self._found[key] = _overlaid(self._own, *key)
        return self._found[key]


def _overlaid(own: PartnerGuides, identifier: str, release: str) -> tuple[Guide, Overlay] | None:
    table = table_of(identifier, release) if release else None
    if table is None:
        return None
    agreed = own.sets[identifier]
    added = [segment.own(tag) for tag, segment in agreed.segments.items()]
    guide = compile_overlaid(table, release, added)
    return guide, Overlay(guide, [rule.narrowed() for rule in agreed.rules])
