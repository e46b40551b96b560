"""Every EDI file of the shared samples looked into: verdicts by policy, counts, disagreements."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hub.edi.files import Judge, errors_of, looked

FORMATS = ("x12", "edifact")
VERDICTS = ("accepted", "accepted_with_errors", "unchecked", "partly_accepted", "rejected")
CLAIMS = ("valid", "malformed", "a test that asserts")
_COUNTS = re.compile(r"(?:ISA|UNB)=(\d+),(?:GS|UNG)=(\d+),(?:ST|UNH)=(\d+)")
_MOST_PLACES = 3


class Row(NamedTuple):
    """One file of the manifest."""

    format: str
    path: str
    source_says: str
    facts: str

    @property
    def claim(self) -> str:
        """What its source says, in one of `CLAIMS`."""
        if self.source_says.startswith("valid"):
            return "valid"
        return "malformed" if self.source_says == "malformed" else "a test that asserts"

    @property
    def counts(self) -> tuple[int, ...]:
        """How many interchanges, groups and sets an independent count found."""
        found = _COUNTS.search(self.facts)
        return tuple(map(int, found.groups())) if found else (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was looked into."""

    row: Row
    strict: dict[str, Any]
    tolerant: dict[str, Any]
    cpu_seconds: float
    """Of the slower of both looks."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many interchanges, groups and sets were found."""
        whole = self.strict["interchanges"]
        groups, sets = (sum(i["groups"] for i in whole), sum(len(i["sets"]) for i in whole))
        # Messages without a UNB stand in an interchange of their own.
        bare = sum(e["code"] == "interchange_header_missing" for e in self.strict["errors"])
        return len(whole) - bare, groups, sets

    @property
    def disagrees(self) -> bool:
        """Whether a valid file is refused by the tolerant policy, or a malformed one passes."""
        if self.row.claim == "valid":
            return self.tolerant["verdict"] in {"rejected", "partly_accepted"}
        passes = self.strict["verdict"] in {"accepted", "unchecked"}
        return self.row.claim == "malformed" and passes

    @property
    def codes(self) -> set[str]:
        """All that was found under the tolerant policy and refuses something."""
        return {each["code"] for each in errors_of(self.tolerant) if each["level"] != "application"}

    @property
    def places(self) -> str:
        """The first things that are wrong, with their places: codes and no values."""
        told = [f"{each['code']} {each['where']}".strip() for each in errors_of(self.tolerant)]
        unique = list(dict.fromkeys(re.sub(r"\[\d+\]", "", each) for each in told))
        more = f", {len(unique) - _MOST_PLACES} more" if len(unique) > _MOST_PLACES else ""
        return ", ".join(unique[:_MOST_PLACES]) + more


def rows(folder: Path) -> list[Row]:
    """The manifest's X12 and EDIFACT files; none where the samples are not here."""
    manifest = folder / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines, delimiter="\t"))
    return [
        Row(each["standard"], each["path"], each["source_says"], each["facts"])
        for each in table
        if each["standard"] in FORMATS
    ]


def look(folder: Path, row: Row) -> Looked:
    """Look into one file by both policies."""
    results, slowest = [], 0.0
    for judge in (Judge(), Judge(tolerant=True)):
        started = time.process_time()
        results.append(looked(folder / row.path, judge))
        slowest = max(slowest, time.process_time() - started)
    return Looked(row, results[0], results[1], slowest)


class Explained(NamedTuple):
    """Why a file and its source disagree, as somebody found who opened it."""

    section: str
    """The letter of a section of ``docs/edi-corpus.md``."""
    codes: frozenset[str]
    """What refuses it; a code that is new is not explained yet."""
    why: str


def explained() -> dict[str, Explained]:
    """Return file -> why it disagrees with its source."""
    with (Path(__file__).parent / "explained.tsv").open(encoding="utf-8", newline="") as lines:
        table = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        each["file"]: Explained(
            each["section"], frozenset(filter(None, each["codes"].split(","))), each["why"]
        )
        for each in table
    }


def verdict_table(all_of_them: list[Looked]) -> Iterator[str]:
    """Yield the table of verdicts by format, claim and policy, in Markdown."""
    yield f"| format | its source says | policy | {' | '.join(VERDICTS)} |"
    yield f"|---|---|---|{'---:|' * len(VERDICTS)}"
    for format_ in FORMATS:
        for claim in CLAIMS:
            mine = [e for e in all_of_them if (e.row.format, e.row.claim) == (format_, claim)]
            for policy, results in (
                ("strict", [each.strict for each in mine]),
                ("tolerant", [each.tolerant for each in mine]),
            ):
                count = Counter(each["verdict"] for each in results)
                cells = " | ".join(str(count[verdict]) for verdict in VERDICTS)
                yield f"| {format_} | {claim} | {policy} | {cells} |"


def disagreement_table(all_of_them: list[Looked]) -> Iterator[str]:
    """Yield every disagreement with its reason, in Markdown."""
    reasons = explained()
    yield "| file | its source says | strict | tolerant | section | what is wrong | why |"
    yield "|---|---|---|---|---|---|---|"
    for each in all_of_them:
        if each.disagrees:
            strict, tolerant = each.strict["verdict"], each.tolerant["verdict"]
            name, says = each.row.path, each.row.claim
            reason = reasons.get(name, Explained("?", frozenset(), "not explained yet"))
            cells = (name, says, strict, tolerant, reason.section, each.places, reason.why)
            yield f"| {' | '.join(cells)} |"
