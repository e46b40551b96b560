"""What can be wrong with an X12 document, each with a word of ours and the standard's own code.

The words are bounded and documented in ``connectors/x12/README.md``. The codes are those of the
997 (X12 004010 elements 720, 723, 718 and 716) and, for interchanges, of the TA1 (element I18).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}", re.ASCII)

SEGMENT_CODES: dict[str, tuple[str, str]] = {
    "segment_unrecognized": ("1", "no segment of this name is known"),
    "segment_unexpected": ("2", "the segment belongs elsewhere in this set"),
    "segment_missing": ("3", "a mandatory segment is missing"),
    "loop_exceeds_maximum": ("4", "the loop occurs more often than the guide allows"),
    "segment_exceeds_maximum": ("5", "the segment occurs more often than the guide allows"),
    "segment_not_in_set": ("6", "the segment is not part of this set"),
    "segment_out_of_sequence": ("7", "the segment comes after the ones that it must precede"),
}
"""Word -> (AK304, element 720; in plain words). Code 8 stands over elements in error."""

ELEMENT_CODES: dict[str, tuple[str, str]] = {
    "element_missing": ("1", "a mandatory element is missing"),
    "element_conditional_missing": ("2", "missing, though other elements here require it"),
    "element_too_many": ("3", "more elements than the segment has"),
    "element_too_short": ("4", "too short"),
    "element_too_long": ("5", "too long"),
    "element_invalid_character": ("6", "holds a character that is not allowed here"),
    "code_invalid": ("7", "not in the code list of this element"),
    "date_invalid": ("8", "not a date"),
    "time_invalid": ("9", "not a time"),
    "element_excluded": ("10", "must not be used together with another element here"),
}
"""Word -> (AK403, element 723; in plain words)."""

SET_CODES: dict[str, tuple[str, str]] = {
    "set_unsupported": ("1", "this transaction set is not agreed"),
    "set_trailer_missing": ("2", "the set has no SE"),
    "set_control_mismatch": ("3", "SE02 is not ST02"),
    "set_count_mismatch": ("4", "SE01 is not the number of segments"),
    "set_identifier_invalid": ("6", "ST01 is missing or does not fit the group's GS01"),
    "set_control_invalid": ("7", "ST02 must be 4 to 9 characters"),
    "set_control_duplicate": ("23", "ST02 is not unique in its group"),
}
"""Word -> (AK502, element 718; in plain words). Code 5 stands over segments in error."""

GROUP_CODES: dict[str, tuple[str, str]] = {
    "group_unsupported": ("1", "this functional group is not agreed"),
    "version_unsupported": ("2", "no guide for the version that GS08 names"),
    "group_trailer_missing": ("3", "the group has no GE"),
    "group_control_mismatch": ("4", "GE02 is not GS06"),
    "group_count_mismatch": ("5", "GE01 is not the number of transaction sets"),
    "group_control_invalid": ("6", "GS06 must be 1 to 9 digits"),
    "group_control_duplicate": ("6", "GS06 is not unique in its interchange"),
    "group_empty": ("5", "the group holds no transaction set"),
}
"""Word -> (AK905, element 716; in plain words)."""

INTERCHANGE_CODES: dict[str, tuple[str, str]] = {
    "interchange_control_mismatch": ("001", "IEA02 is not ISA13"),
    "delimiter_ambiguous": ("026", "two delimiters are the same character"),
    "partner_unknown": ("006", "ISA05 and ISA06 are not this connection's partner"),
    "receiver_unknown": ("008", "ISA07 and ISA08 are not ours"),
    "interchange_control_invalid": ("018", "ISA13 must be nine digits"),
    "usage_mismatch": ("020", "ISA15 is not the usage of this connection"),
    "interchange_count_mismatch": ("021", "IEA01 is not the number of groups"),
    "isa_length": ("022", "an ISA element does not have its fixed length"),
    "interchange_truncated": ("023", "the data end before the IEA"),
    "interchange_content_invalid": ("024", "a segment stands outside any transaction set"),
    "interchange_empty": ("024", "the interchange holds no functional group"),
    "interchange_missing": ("022", "an ISA is expected here"),
    "isa_unreadable": ("022", "no delimiters can be read from the ISA"),
    "segment_too_long": ("024", "no segment terminator within a megabyte"),
    "ta1_invalid": ("024", "TA101 is no control number"),
    "interchange_number_conflict": ("025", "the same number came before, with other bytes"),
}
"""Word -> (TA105, element I18; in plain words)."""

PARTNER_CODES: dict[str, tuple[str, str, str]] = {
    "partner_segment_missing": ("3", "I6", "this partner's guide requires the segment here"),
    "partner_segment_unused": ("2", "I4", "this partner's guide does not use the segment here"),
    "partner_segment_exceeds": ("5", "5", "this partner's guide allows it less often"),
    "partner_element_missing": ("1", "I9", "this partner's guide requires the element"),
    "partner_element_unused": ("10", "I10", "this partner's guide does not use the element"),
    "partner_element_length": ("5", "5", "this partner's guide wants another length"),
    "partner_code_unused": ("7", "I6", "not among the codes of this partner's guide"),
}
"""What only a partner's own guide finds wrong: word -> (997: AK304 or AK403; 999: IK304 or IK403,
elements 620 and 621; in plain words)."""

APPLICATION_CODES: dict[str, tuple[str, str]] = {
    "check_digit_invalid": ("024", "its check digit does not follow from the other digits"),
    "hl_parent_unknown": ("011", "names no level that came before"),
    "hl_number_repeated": ("006", "names a level that is there already"),
    "line_repeated": ("006", "a line of this number is there already"),
    "line_count_wrong": ("010", "not the number of lines"),
    "hash_total_wrong": ("010", "not the sum of the lines' quantities"),
    "total_wrong": ("010", "not what lines, charges, allowances and taxes come to"),
}
"""Word -> (TED01 of an 824, element 647: 006 duplicate, 010 total out of balance, 011 not
matching, 024 another reason; in plain words)."""

TOLERABLE = frozenset(
    {
        "set_control_mismatch",
        "set_count_mismatch",
        "set_control_invalid",
        "set_control_duplicate",
        "group_control_mismatch",
        "group_count_mismatch",
        "group_control_invalid",
        "group_control_duplicate",
        "interchange_control_mismatch",
        "interchange_control_invalid",
        "interchange_count_mismatch",
        "isa_length",
    }
)
"""What a connection with ``strictness: tolerant`` accepts with a warning: it loses no data."""

_ENVELOPE = SET_CODES | GROUP_CODES | INTERCHANGE_CODES


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong inside a transaction set: with a segment, or with one of its elements."""

    code: str
    tag: str
    position: int
    """The segment's ordinal in its set; ST is 1 (AK302, element 719)."""
    occurrence: int = 1
    """The how-manieth segment of this tag in the set it is, from 1."""
    loop: str = ""
    """The loop that the segment stands in (AK303, element 447)."""
    element: int = 0
    """The element's position in its segment; 0 where the fault is the segment's."""
    component: int = 0
    """The component's position in its composite; 0 where there is none."""
    number: str = ""
    """The element's reference number in the X12 dictionary (AK402, element 725)."""
    name: str = ""
    computed: str = field(default="", compare=False, repr=False)
    """What it should be by the rest of the set: only for who holds the file (`connectors.report`)."""

    @property
    def where(self) -> str:
        """The place as a person would find it: ``PO1[3].PO103`` is PO103 in the third PO1."""
        # What stands where a tag should be is data, when it does not even look like a tag.
        tag = self.tag if _TAG.fullmatch(self.tag) else "?"
        place = f"{tag}[{self.occurrence}]"
        if not self.element:
            return place
        component = f"{self.component:02d}" if self.component else ""
        return f"{place}.{tag}{self.element:02d}{component}"

    @property
    def ack(self) -> str:
        """AK403 for an element's fault, AK304 for a segment's."""
        return self._row()[0]

    @property
    def implementation(self) -> str:
        """IK403 for an element's fault, IK304 for a segment's (999)."""
        return PARTNER_CODES[self.code][1] if self.code in PARTNER_CODES else self.ack

    @property
    def detail(self) -> str:
        """In plain words, with the dictionary's name and number of the element."""
        words = self._row()[-1]
        if not self.element or not self.name:
            return words
        number = f", {self.number}" if self.number else ""
        return f"({self.name}{number}) {words}"

    def _row(self) -> tuple[str, ...]:
        special = PARTNER_CODES.get(self.code) or APPLICATION_CODES.get(self.code)
        if special is not None:
            return special
        return (ELEMENT_CODES if self.element else SEGMENT_CODES)[self.code]


@dataclass(frozen=True, slots=True)
class EnvelopeFault:
    """One thing wrong with a set, group or interchange as a whole."""

    code: str
    where: str
    """The element that shows it: ``SE01``, ``GE02``, ``ISA06``."""
    value: str = field(default="", compare=False, repr=False)
    """What stands there, where that tells more: only for who holds the file (`connectors.report`)."""
    expected: str = field(default="", compare=False, repr=False)
    """What should, by what stands elsewhere: likewise."""

    @property
    def ack(self) -> str:
        """AK502, AK905 or TA105, by the level of the fault."""
        return _ENVELOPE[self.code][0]

    @property
    def detail(self) -> str:
        """In plain words."""
        return _ENVELOPE[self.code][1]

    @property
    def tolerable(self) -> bool:
        """Whether a tolerant connection accepts it with a warning."""
        return self.code in TOLERABLE
