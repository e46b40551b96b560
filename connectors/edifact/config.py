"""The options of an EDIFACT connection: who we are to this partner, and how strictly we read."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from canonical.errors import ConfigError
from connectors.base import ConnectorConfig
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.directory import messages, releases
from connectors.edifact.engine.overlay import Narrower, narrowed

PartyId = Annotated[str, StringConstraints(pattern=r"^[!-~](?:[ -~]{0,33}[!-~])?$")]
Qualifier = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,4}$")]
Internal = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,14}$")]
Mark = Annotated[str, StringConstraints(pattern=r"^[!-/:-@\[-`{-~\n\r\x1c-\x1f]$")]
Release = Annotated[str, StringConstraints(pattern=r"^[ !-/:-@\[-`{-~]$")]
Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,17}$")]
Association = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{1,6}$")]


class Place(BaseModel):
    """A place of a guide that this partner makes narrower."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}[A-Za-z0-9_.]{0,120}$")] = Field(
        description="Keys of a document without its section, such as `LIN_group.QTY.QTY0101`."
    )
    status: Literal["M", "C", "X"] | None = Field(
        None, description="M: mandatory, C: conditional, X: not used."
    )
    maximum: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How often it may occur, or how long a value may be."
    )
    codes: tuple[Code, ...] = Field((), description="The codes that may stand there.")

    def narrower(self) -> Narrower:
        """As the engine takes it."""
        return Narrower(self.at, self.status, self.maximum, self.codes)


def _try(name: str, message: str, version: str, *places: Place) -> None:
    """Make a guide narrower, to see whether that is possible.

    Raises:
        ValueError: it is not.
    """
    try:
        narrowed(message, version, [place.narrower() for place in places])
    except ConfigError as error:
        raise ValueError(f"{name}: {error.detail}") from None


_ALWAYS = frozenset({"CONTRL", "APERAK"})


class EdifactConfig(ConnectorConfig):
    """Options of one trading partner that speaks EDIFACT."""

    our_id: PartyId = Field(description="Our interchange id (UNB 0004/0010), such as our GLN.")
    our_qualifier: Qualifier | None = Field(
        None, description="Its qualifier (0007), such as 14; not compared where it is left out."
    )
    partner_id: PartyId = Field(description="The partner's interchange id (UNB 0004/0010).")
    partner_qualifier: Qualifier | None = Field(None, description="Its qualifier (0007).")
    partner_internal: Internal | None = Field(
        None, description="The partner's internal id (0014), written where it is given."
    )
    version: str = Field("D96A", description="The directory we write: one that guides exist for.")
    association: Association | None = Field(
        None, description="Association assigned code (UNH 0057) that we write, such as EAN008."
    )
    syntax: Literal["3", "4"] = Field("3", description="The syntax version that we write.")
    charset: Literal[
        "UNOA", "UNOB", "UNOC", "UNOD", "UNOE", "UNOF", "UNOG", "UNOH", "UNOI", "UNOJ", "UNOK",
        "UNOW", "UNOX", "UNOY",
    ] = Field("UNOC", description="The character set that we write (UNB 0001).")  # fmt: skip
    application_reference: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,14}$")] | None = (
        Field(None, description="Application reference (UNB 0026) that we write.")
    )
    usage: Literal["P", "T"] = Field(
        "P", description="Production or test (UNB 0035); the other kind is refused."
    )
    strictness: Literal["strict", "tolerant"] = Field(
        "strict", description="`tolerant` accepts wrong counts and references, with a warning."
    )
    acknowledge: Literal["always", "requested", "errors", "none"] = Field(
        "always", description="When interchanges that we receive are answered with a CONTRL."
    )
    application: Literal["refuse", "warn", "off"] = Field(
        "warn",
        description="Dates that do not exist, check digits, totals: what becomes of a message.",
    )
    aperak: bool = Field(
        False,  # noqa: FBT003  # a default, not a flag argument
        description="Whether a message refused for its content is answered with an APERAK.",
    )
    confirmed_within_hours: int = Field(
        24,
        ge=0,
        le=10_000,
        description="How long the partner may take to acknowledge what we send, which then asks for"
        " a CONTRL (UNB 0031); 0: it never does, and is not asked.",
    )
    control_numbers: Literal["checked", "unchecked"] = Field(
        "checked",
        description="`unchecked` lets the partner use an interchange reference again for another.",
    )
    gap_after_hours: int = Field(
        0,
        ge=0,
        le=10_000,
        description="How long a skipped interchange reference may be late before it is a finding;"
        " 0: references may be skipped.",
    )
    messages: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]{6}$")], ...] = Field(
        (), description="The messages that the partner may send; none: all that are read."
    )
    guide: dict[str, tuple[Place, ...]] = Field(
        {}, description="Message -> the places of its guide that this partner makes narrower."
    )
    component_separator: Mark = Field(":", description="Between components, when we write.")
    element_separator: Mark = Field("+", description="Between elements, when we write.")
    decimal_mark: Literal[".", ","] = Field(".", description="In numbers, when we write.")
    release_character: Release = Field("?", description="Before a delimiter in data; blank: none.")
    repetition_separator: Mark = Field("*", description="Between repetitions, in syntax 4.")
    segment_terminator: Mark = Field("'", description="After segments, when we write.")
    una: bool = Field(True, description="A UNA also where the delimiters are the defaults.")  # noqa: FBT003  # a default
    line_breaks: bool = Field(False, description="A line feed after every segment we write.")  # noqa: FBT003  # a default

    @field_validator("version")
    @classmethod
    def _is_there(cls, version: str) -> str:
        if version not in releases():
            raise ValueError(f"no guides for it; there are {', '.join(releases())}")
        return version

    @field_validator("messages")
    @classmethod
    def _are_read(cls, chosen: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(chosen) - set(messages()):
            raise ValueError(f"{min(unknown)} is not read; known: {', '.join(messages())}")
        return chosen

    @field_validator("guide")
    @classmethod
    def _narrows(
        cls, guide: dict[str, tuple[Place, ...]], info: ValidationInfo
    ) -> dict[str, tuple[Place, ...]]:
        """Tell a place that the guide lacks where it is written, not when the hub starts."""
        version = info.data.get("version", "D96A")
        for message, places in guide.items():
            for at, place in enumerate(places or ()):
                _try(f"{message}[{at}]", message, version, place)
            if not places:
                _try(message, message, version)
        return guide

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        marks = self.delimiters()
        used = [mark for mark in (*marks.separators(), marks.release) if mark]
        if len(set(used)) != len(used) or self.decimal_mark in used:
            raise ValueError("expected different delimiters")
        return self

    @property
    def control_scope(self) -> str:
        """Interchange references count per sender, receiver and usage."""
        us = f"{self.our_qualifier or ''}:{self.our_id}"
        partner = f"{self.partner_qualifier or ''}:{self.partner_id}"
        return f"edifact/{us}/{partner}/{self.usage}"

    def agrees(self, message: str) -> bool:
        """Whether the partner may send a message; what it says of ours always may come."""
        return not self.messages or message in self.messages or message in _ALWAYS

    @property
    def is_test(self) -> bool:
        """Whether UNB 0035 is 1 here; interchanges of the other kind are refused."""
        return self.usage == "T"

    @property
    def confirmed_within(self) -> timedelta | None:
        """How long the partner may take to acknowledge what we send."""
        hours = self.confirmed_within_hours
        return timedelta(hours=hours) if hours else None

    @property
    def gap_after(self) -> timedelta | None:
        """How long a skipped interchange reference may be late."""
        return timedelta(hours=self.gap_after_hours) if self.gap_after_hours else None

    @property
    def file_suffix(self) -> str:
        """The ending of files that are left for the partner."""
        return ".edi"

    def delimiters(self) -> Delimiters:
        """The delimiters that we write; elements repeat from syntax version 4 on only."""
        return Delimiters(
            self.component_separator,
            self.element_separator,
            self.decimal_mark,
            None if self.release_character == " " else self.release_character,
            self.repetition_separator if self.syntax == "4" else None,
            self.segment_terminator,
        )
