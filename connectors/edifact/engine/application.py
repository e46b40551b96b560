"""What an application finds in a message that its guide has nothing against.

Dates that do not exist, wrong check digits, numbers used twice, totals that are not those of the
lines. Codes: `faults.APPLICATION_CODES`. Works on the segments, so that every finding has its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from canonical.gs1 import (
    GLN_LENGTH,
    GTIN_LENGTHS,
    SSCC_LENGTH,
    is_gln,
    is_gtin,
    is_sscc,
    with_check_digit,
)
from connectors.edifact.engine.checker import placed
from connectors.edifact.engine.delimiters import Delimiters
from connectors.edifact.engine.envelope import Parts, part
from connectors.edifact.engine.faults import Fault
from connectors.edifact.engine.moment import exists

_LOOKED_AT = frozenset({"DTM", "LIN", "PIA", "GIN", "NAD", "CPS", "QTY", "MOA", "CNT", "UNS"})
_GTINS = frozenset({"EN", "SRV", "UP"})
_GLN_AGENCY = "9"
_SSCCS = frozenset({"BJ", "AW"})
_MAIN_QUANTITIES = frozenset({"1", "12", "21", "46", "47", "48", "113", "145", "153"})
MAX_FINDINGS = 100
_CENT = Decimal("0.01")
_LINE_AMOUNTS = ("203", "66", "38")
_LINE_TOTAL = "79"
_TAXABLE, _TOTALS, _TAXES = "125", ("77", "86", "39"), ("176", "124")


def findings(segments: list[list[str]], marks: Delimiters) -> list[Fault]:
    """All findings, in the order of their places.

    Args:
        segments: the whole message, from its UNH on.
        marks: of its interchange.

    """
    look, component = _Look(), marks.component
    for position, segment in enumerate(segments, 1):
        if segment[0] in _LOOKED_AT:
            # Stand-ins may stay: nothing that is looked at here holds a delimiter.
            look.take(position, segment[0], [each.split(component) for each in segment])
    look.finish()
    return placed(look.found, segments) if look.found else []


@dataclass(slots=True)
class _Look:
    """What was seen so far."""

    found: list[Fault] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    packages: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    counted: int = 0
    sub_lines: int = 0
    in_line: bool = False
    in_summary: bool = False
    has_quantity: bool = False
    quantity: Decimal = Decimal(0)
    line_amounts: dict[str, list[Decimal]] = field(default_factory=dict)
    amounts: dict[str, tuple[int, Decimal]] = field(default_factory=dict)
    totals: list[tuple[int, str, str]] = field(default_factory=list)

    def take(self, position: int, tag: str, parts: Parts) -> None:
        """Look at one segment."""
        looks = {
            "DTM": self._dtm, "LIN": self._lin, "PIA": self._pia, "GIN": self._gin,
            "NAD": self._nad, "CPS": self._cps, "CNT": self._cnt, "UNS": self._uns,
            "QTY": self._qty, "MOA": self._moa,
        }  # fmt: skip
        looks[tag](position, parts)

    def finish(self) -> None:
        """Compare what was counted with what is said."""
        for position, kind, text in self.totals:
            if not self._agrees(kind, _decimal(text)):
                self._add("control_total_mismatch", "CNT", position, (1, 2), self._total(kind))
        self._amounts()
        self.found = sorted(self.found, key=lambda fault: fault.position)[:MAX_FINDINGS]

    def _add(
        self, code: str, tag: str, position: int, at: tuple[int, int], computed: str = ""
    ) -> None:
        """Note what is wrong with an element and component, and what would be right."""
        if len(self.found) > 2 * MAX_FINDINGS:
            return
        element, component = at
        fault = Fault(code, tag, position, element=element, component=component, computed=computed)
        self.found.append(fault)

    def _dtm(self, position: int, parts: Parts) -> None:
        text = part(parts, 1, 2)
        if text and not exists(text, part(parts, 1, 3)):
            self._add("date_impossible", "DTM", position, (1, 2), f"format {part(parts, 1, 3)}")

    def _lin(self, position: int, parts: Parts) -> None:
        self.in_line, self.has_quantity = True, False
        self.counted += 1
        if part(parts, 4, 1) == "1":
            self.sub_lines += 1
        number = part(parts, 1)
        self._item(position, "LIN", 3, parts)
        # A line number counts anew in every package (DESADV).
        if number and self.lines.setdefault(number, position) != position and not self.packages:
            self._add("line_number_duplicate", "LIN", position, (1, 0))

    def _item(self, position: int, tag: str, at: int, parts: Parts) -> None:
        code = part(parts, at, 1)
        if part(parts, at, 2) in _GTINS and code.isdigit() and not is_gtin(code):
            right = with_check_digit(code, len(code)) if len(code) in GTIN_LENGTHS else "a GTIN"
            self._add("gtin_check_digit", tag, position, (at, 1), right)

    def _pia(self, position: int, parts: Parts) -> None:
        for at in range(2, len(parts)):
            self._item(position, "PIA", at, parts)

    def _cnt(self, position: int, parts: Parts) -> None:
        self.totals.append((position, part(parts, 1, 1), part(parts, 1, 2)))

    def _uns(self, _position: int, _parts: Parts) -> None:
        self.in_line, self.in_summary = False, True

    def _gin(self, position: int, parts: Parts) -> None:
        if part(parts, 1) not in _SSCCS:
            return
        for at in range(2, len(parts)):
            for which, code in enumerate(parts[at], 1):
                if code and not is_sscc(code.strip(" ")):
                    right = with_check_digit(code.strip(" "), SSCC_LENGTH)
                    self._add("sscc_check_digit", "GIN", position, (at, which), right)
                elif code and self.codes.setdefault(code, position) != position:
                    self._add("sscc_duplicate", "GIN", position, (at, which))

    def _nad(self, position: int, parts: Parts) -> None:
        gln = part(parts, 2, 1)
        if part(parts, 2, 3) == _GLN_AGENCY and gln and not is_gln(gln):
            self._add("gln_check_digit", "NAD", position, (2, 1), with_check_digit(gln, GLN_LENGTH))

    def _cps(self, position: int, parts: Parts) -> None:
        own, parent = part(parts, 1), part(parts, 2)
        if parent and (parent == own or parent not in self.packages):
            self._add("package_parent_unknown", "CPS", position, (2, 0))
        if self.packages.setdefault(own, position) != position:
            self._add("package_number_duplicate", "CPS", position, (1, 0))

    def _qty(self, _position: int, parts: Parts) -> None:
        """The first quantity of a line is the one that CNT adds up."""
        kind, value = part(parts, 1, 1), _decimal(part(parts, 1, 2))
        wanted = self.in_line and kind in _MAIN_QUANTITIES and not self.has_quantity
        if wanted and value is not None:
            self.has_quantity = True
            self.quantity += value

    def _moa(self, position: int, parts: Parts) -> None:
        kind, value = part(parts, 1, 1), _decimal(part(parts, 1, 2))
        if value is not None and self.in_line:
            self.line_amounts.setdefault(kind, []).append(value)
        elif value is not None and self.in_summary:
            self.amounts.setdefault(kind, (position, value))

    def _agrees(self, kind: str, said: Decimal | None) -> bool:
        """Whether a CNT says what was counted; other kinds of totals are not known here."""
        if said is None:
            return True
        if kind == "1":
            return said == self.quantity
        if kind in ("2", "4"):
            return said in (self.counted, self.counted - self.sub_lines)
        return kind != "3" or said == self.counted

    def _total(self, kind: str) -> str:
        """What a CNT should say."""
        return str(self.quantity if kind == "1" else self.counted)

    def _amounts(self) -> None:
        total = self.amounts.get(_LINE_TOTAL)
        for kind in _LINE_AMOUNTS:
            lines = self.line_amounts.get(kind, [])
            if total and lines and len(lines) == self.counted:
                whole = sum(lines, Decimal(0))
                if abs(whole - total[1]) > _CENT * len(lines):
                    self._add("amount_mismatch", "MOA", total[0], (1, 2), str(whole))
                break
        self._with_tax()

    def _with_tax(self) -> None:
        """The amount that is taxed and the tax are the total."""
        taxable = self.amounts.get(_TAXABLE)
        tax = next((self.amounts[kind] for kind in _TAXES if kind in self.amounts), None)
        total = next((self.amounts[kind] for kind in _TOTALS if kind in self.amounts), None)
        if taxable and tax and total and abs(taxable[1] + tax[1] - total[1]) > _CENT:
            self._add("amount_mismatch", "MOA", total[0], (1, 2), str(taxable[1] + tax[1]))


def _decimal(text: str) -> Decimal | None:
    if len(text) > 40 or not text.isascii():  # noqa: PLR2004  # longer than any number of the guides
        return None
    try:
        value = Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
