"""The options of an X12 connection: who we are to this partner, and how strictly we read."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from connectors.base import ConnectorConfig
from connectors.x12.agreed import PartnerGuides, SetId
from connectors.x12.engine.delimiters import Delimiters
from connectors.x12.engine.guide import releases
from connectors.x12.groups import GROUPS

Qualifier = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2}$")]
InterchangeId = Annotated[str, StringConstraints(pattern=r"^[!-~](?:[ -~]{0,13}[!-~])?$")]
GroupId = Annotated[str, StringConstraints(pattern=r"^[!-~][ -~]{0,13}[!-~]$")]
Mark = Annotated[str, StringConstraints(pattern=r"^[!-/:-@\[-`{-~\n\r\x1c-\x1f\x15]$")]

_ALWAYS = frozenset({"997", "999", "824"})


class X12Config(ConnectorConfig):
    """Options of one trading partner that speaks X12."""

    our_qualifier: Qualifier = Field("ZZ", description="Our interchange id qualifier (ISA05/07).")
    our_id: InterchangeId = Field(description="Our interchange id (ISA06/08), without padding.")
    partner_qualifier: Qualifier = Field("ZZ", description="The partner's qualifier (ISA05/07).")
    partner_id: InterchangeId = Field(description="The partner's interchange id (ISA06/08).")
    our_group_id: GroupId | None = Field(
        None, description="Our application code (GS02 when we write); default: `our_id`."
    )
    partner_group_id: GroupId | None = Field(
        None, description="The partner's application code (GS03); default: `partner_id`."
    )
    version: str = Field("004010", description="The version we write: one that guides exist for.")
    usage: Literal["P", "T"] = Field(
        "P", description="Production or test (ISA15); interchanges of the other kind are refused."
    )
    strictness: Literal["strict", "tolerant"] = Field(
        "strict",
        description="`tolerant` accepts wrong counts and control numbers, with a warning.",
    )
    acknowledge: Literal["997", "999", "none"] = Field(
        "997", description="What groups that we receive are answered with."
    )
    interchange_acknowledge: Literal["requested", "errors", "always", "none"] = Field(
        "requested",
        description="When interchanges are answered with a TA1: where ISA14 asks for it, where "
        "they are refused (or ISA14 asks), always, never.",
    )
    application_advice: bool = Field(
        False,  # noqa: FBT003  # a default, not a flag argument
        description="Whether sets whose totals, check digits or levels are wrong are refused and "
        "answered with an 824.",
    )
    outbound_checks: Literal["application", "guide"] = Field(
        "application",
        description="`guide` sends documents whose totals, check digits or levels are wrong.",
    )
    confirmed_within_hours: int = Field(
        24,
        ge=0,
        le=10_000,
        description="How long the partner may take to acknowledge what we send; 0: it never does.",
    )
    gap_after_hours: int = Field(
        24,
        ge=0,
        le=10_000,
        description="How long a skipped ISA13 may be late before it is a finding; 0: the partner"
        " skips numbers.",
    )
    sets: tuple[SetId, ...] = Field(
        (), description="The transaction sets that the partner may send; none: all that are read."
    )
    guides: PartnerGuides = Field(
        PartnerGuides(),
        description="The partner's own guides, by transaction set: `rules` and `segments`.",
    )
    control_numbers: Literal["checked", "unchecked"] = Field(
        "checked",
        description="`unchecked` lets the partner use an ISA13 again for another interchange.",
    )
    element_separator: Mark = Field("*", description="Between elements, when we write.")
    component_separator: Mark = Field(">", description="Between components, when we write.")
    segment_terminator: Mark = Field("~", description="After segments, when we write.")
    repetition_separator: Mark = Field("^", description="Between repetitions, from 00402 on.")
    line_breaks: bool = Field(False, description="A line feed after every segment we write.")  # noqa: FBT003  # a default, not a flag argument

    @field_validator("version")
    @classmethod
    def _is_there(cls, version: str) -> str:
        if version not in releases():
            raise ValueError(f"no guides for it; there are {', '.join(releases())}")
        return version

    @model_validator(mode="after")
    def _are_read(self) -> Self:
        known = {each for sets in GROUPS.values() for each in sets}
        if unknown := set(self.sets) - known:
            raise ValueError(f"sets: {min(unknown)} is not read; known: {', '.join(sorted(known))}")
        return self

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        marks = self._marks()
        if len(set(marks)) != len(marks):
            raise ValueError("expected four different delimiters")
        for whose, party in (("our", self.us()), ("partner", self.partner())):
            if any(mark in text for mark in marks for text in party):
                raise ValueError("expected ids that hold none of the delimiters")
            if not 2 <= len(party[2]) <= 15:  # noqa: PLR2004  # elements 142 and 124
                expected = "expected 2 to 15 characters (GS02, GS03), or another id for the GS in"
                raise ValueError(f"{whose}_id: {expected} {whose}_group_id")
        return self

    @property
    def control_scope(self) -> str:
        """Control numbers count per sender, receiver and usage (X12 I12)."""
        return f"{self.our_qualifier}:{self.our_id}/{self.partner_qualifier}:{self.partner_id}/{self.usage}"

    def agrees(self, set_id: str) -> bool:
        """Whether the partner may send a transaction set; what it says of ours always may come."""
        return not self.sets or set_id in self.sets or set_id in _ALWAYS

    @property
    def is_test(self) -> bool:
        """Whether ISA15 is T here; interchanges of the other kind are refused."""
        return self.usage == "T"

    @property
    def confirmed_within(self) -> timedelta | None:
        """How long the partner may take to acknowledge what we send."""
        hours = self.confirmed_within_hours
        return timedelta(hours=hours) if hours else None

    @property
    def gap_after(self) -> timedelta | None:
        """How long a skipped ISA13 may be late."""
        return timedelta(hours=self.gap_after_hours) if self.gap_after_hours else None

    @property
    def file_suffix(self) -> str:
        """The ending of files that are left for the partner."""
        return ".x12"

    def us(self) -> tuple[str, str, str]:
        """Our qualifier and id for the ISA, our id for the GS."""
        return self.our_qualifier, self.our_id, self.our_group_id or self.our_id

    def partner(self) -> tuple[str, str, str]:
        """The partner's qualifier and id for the ISA, and its id for the GS."""
        return self.partner_qualifier, self.partner_id, self.partner_group_id or self.partner_id

    def delimiters(self, version: str) -> Delimiters:
        """The delimiters that we write `version` with; elements repeat from 00402 on only."""
        element, component, segment, repetition = self._marks()
        repeats = version >= "00402"
        return Delimiters(element, component, segment, repetition if repeats else None)

    def _marks(self) -> tuple[str, str, str, str]:
        return (
            self.element_separator,
            self.component_separator,
            self.segment_terminator,
            self.repetition_separator,
        )
