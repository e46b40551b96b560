"""What can be wrong with an EDIFACT document, each with a word of ours and the standard's code.

The words are bounded and documented in ``connectors/edifact/README.md``. The codes are those of
data element 0085, syntax error (UN/EDIFACT service code directory), which a CONTRL carries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from canonical.errors import Rejected

_TAG = re.compile(r"[A-Z]{3}", re.ASCII)

SEGMENT_CODES: dict[str, tuple[str, str]] = {
    "segment_unrecognized": ("15", "no segment of this name is known"),
    "segment_unexpected": ("15", "the segment belongs elsewhere in this message"),
    "segment_missing": ("13", "a mandatory segment is missing"),
    "segment_group_exceeds_maximum": ("36", "the segment group occurs more often than it may"),
    "segment_exceeds_maximum": ("35", "the segment occurs more often than the guide allows"),
    "segment_not_in_message": ("15", "the segment is not part of this message"),
    "segment_out_of_sequence": ("15", "the segment comes after ones that it must precede"),
}
"""Word -> (UCS 0085; in plain words)."""

ELEMENT_CODES: dict[str, tuple[str, str]] = {
    "element_missing": ("13", "a mandatory element is missing"),
    "element_too_many": ("16", "more elements or components than there are"),
    "element_not_used": ("15", "not used between these partners"),
    "element_repeated": ("35", "the element does not repeat"),
    "element_too_short": ("40", "too short"),
    "element_too_long": ("39", "too long"),
    "element_invalid_character": ("21", "holds a character that is not allowed"),
    "charset_unsupported": ("46", "written in a character set that is not read"),
    "element_type_invalid": ("37", "not of the type that it must be"),
    "decimal_invalid": ("19", "not a number"),
    "code_invalid": ("12", "not in the code list of this element"),
}
"""Word -> (UCD 0085; in plain words)."""

MESSAGE_CODES: dict[str, tuple[str, str]] = {
    "message_unsupported": ("14", "this message is not agreed"),
    "version_unsupported": ("14", "no guide for the version that UNH names"),
    "directory_unknown": ("14", "no guide for the directory that UNH names"),
    "message_trailer_missing": ("13", "the message has no UNT"),
    "message_nested": ("33", "a UNH stands before the UNT of the message before it"),
    "message_reference_missing": ("13", "UNH has no message reference number"),
    "message_reference_duplicate": ("26", "the message reference number is not unique"),
    "message_control_mismatch": ("28", "the reference of UNT is not that of UNH"),
    "message_count_mismatch": ("29", "UNT does not count the segments of its message"),
}
"""Word -> (UCM 0085; in plain words)."""

GROUP_CODES: dict[str, tuple[str, str]] = {
    "group_trailer_missing": ("13", "the group has no UNE"),
    "group_reference_missing": ("13", "UNG has no group reference number"),
    "group_reference_duplicate": ("26", "the group reference number is not unique"),
    "group_control_mismatch": ("28", "the reference of UNE is not that of UNG"),
    "group_count_mismatch": ("29", "UNE does not count the messages of its group"),
    "group_type_mixed": ("31", "the group holds messages of more than one type"),
    "group_empty": ("32", "the group holds no message"),
}
"""Word -> (UCF 0085; in plain words)."""

INTERCHANGE_CODES: dict[str, tuple[str, str]] = {
    "interchange_missing": ("13", "a UNA, UNB or UNH is expected here"),
    "interchange_header_missing": ("13", "the message stands in no interchange"),
    "unb_unreadable": ("22", "no UNB can be read here"),
    "delimiter_ambiguous": ("22", "two delimiters are the same character"),
    "segment_too_long": ("39", "no segment terminator within a megabyte"),
    "syntax_unsupported": ("2", "expected syntax version 1 to 4"),
    "partner_unknown": ("23", "the sender of UNB is not this connection's partner"),
    "receiver_unknown": ("7", "the recipient of UNB is not us"),
    "usage_mismatch": ("25", "the test indicator is not what this connection takes"),
    "interchange_reference_missing": ("13", "UNB has no interchange control reference"),
    "interchange_control_mismatch": ("28", "the reference of UNZ is not that of UNB"),
    "interchange_count_mismatch": ("29", "UNZ does not count the groups, or else the messages"),
    "interchange_mixed": ("30", "messages stand beside groups"),
    "interchange_content_invalid": ("33", "a segment stands outside of any message"),
    "interchange_empty": ("32", "the interchange holds no message"),
    "interchange_truncated": ("13", "the data end before the UNZ"),
}
"""Word -> (UCI 0085; in plain words)."""

LEDGER_CODES: dict[str, tuple[str, str]] = {
    "interchange_number_conflict": ("26", "the same reference came before, with other bytes"),
}
"""Word -> (UCI 0085; in plain words): what only the hub's ledger can tell."""

APPLICATION_CODES: dict[str, str] = {
    "date_impossible": "no date or time of the format that stands beside it",
    "gtin_check_digit": "the check digit of the GTIN is wrong",
    "gln_check_digit": "the check digit of the GLN is wrong",
    "sscc_check_digit": "the check digit of the SSCC is wrong",
    "sscc_duplicate": "the same SSCC stands on two packages",
    "line_number_duplicate": "two lines have the same number",
    "package_number_duplicate": "two packages have the same number",
    "package_parent_unknown": "the package that this one is in comes nowhere before it",
    "control_total_mismatch": "CNT is not the sum or the number of what it counts",
    "amount_mismatch": "the amounts do not add up",
}
"""Word -> plain words: what an application finds, and an APERAK tells."""

TOLERABLE = frozenset(
    {
        "directory_unknown",
        "message_control_mismatch",
        "message_count_mismatch",
        "message_reference_missing",
        "message_reference_duplicate",
        "group_reference_missing",
        "group_reference_duplicate",
        "group_control_mismatch",
        "group_count_mismatch",
        "group_type_mixed",
        "interchange_header_missing",
        "syntax_unsupported",
        "interchange_reference_missing",
        "interchange_control_mismatch",
        "interchange_count_mismatch",
        "interchange_mixed",
    }
)
"""What a connection with ``strictness: tolerant`` accepts with a warning: it loses no data."""

_ENVELOPE = MESSAGE_CODES | GROUP_CODES | INTERCHANGE_CODES | LEDGER_CODES
_INSIDE = SEGMENT_CODES | ELEMENT_CODES


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong inside a message: with a segment, or with one of its elements."""

    code: str
    tag: str
    position: int
    """The segment's ordinal in its message; UNH is 1 (UCS, element 0096)."""
    occurrence: int = 1
    """The how-manieth segment of this tag in the message it is, from 1."""
    group: str = ""
    """The segment group that it stands in, such as LIN; "" in none."""
    element: int = 0
    """The element's position in its segment, from 1; 0 where the fault is the segment's."""
    component: int = 0
    """The component's position in its composite, from 1; 0 where there is none."""
    number: str = ""
    """The element's number in the directory, such as 6060."""
    name: str = ""
    expected: str = ""
    """What may stand there, in the directory's notation or as codes; never what did."""
    computed: str = field(default="", compare=False, repr=False)
    """What it should be by the rest of the message: only for who holds the file."""

    @property
    def where(self) -> str:
        """The place as a person would find it: ``QTY[3].QTY0102``."""
        # What stands where a tag should be is data, when it does not even look like a tag.
        tag = self.tag if _TAG.fullmatch(self.tag) else "?"
        place = f"{tag}[{self.occurrence}]"
        if not self.element:
            return place
        return f"{place}.{tag}{self.element:02d}{self.component or 1:02d}"

    @property
    def error(self) -> str:
        """Data element 0085; an application's finding is an invalid value."""
        found = _INSIDE.get(self.code)
        return found[0] if found else "12"

    @property
    def detail(self) -> str:
        """In plain words, with the directory's name and number of the element."""
        found = _INSIDE.get(self.code)
        words = found[1] if found else APPLICATION_CODES[self.code]
        named = f"({self.name}, {self.number}) " if self.name else ""
        expected = f"; expected {self.expected}" if self.expected else ""
        return f"{named}{words}{expected}"


@dataclass(frozen=True, slots=True)
class EnvelopeFault:
    """One thing wrong with a message, group or interchange as a whole."""

    code: str
    where: str
    """The service segment or element that shows it: ``UNT01``, ``UNZ``."""
    value: str = field(default="", compare=False, repr=False)
    """What stands there, where that tells more: only for who holds the file (`connectors.report`)."""
    expected: str = field(default="", compare=False, repr=False)
    """What should, by what stands elsewhere: likewise."""
    more: str = ""
    """What else there is to say: harmless words, whoever reads them."""

    @property
    def error(self) -> str:
        """Data element 0085."""
        return _ENVELOPE[self.code][0]

    @property
    def detail(self) -> str:
        """In plain words."""
        return _ENVELOPE[self.code][1] + self.more

    @property
    def tolerable(self) -> bool:
        """Whether a tolerant connection accepts it with a warning."""
        return self.code in TOLERABLE

    def rejected(self) -> Rejected:
        """The fault as the error that crosses the connector's boundary."""
        return Rejected(self.code, self.where, self.detail)
