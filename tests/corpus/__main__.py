"""`make corpus`: looks into every EDI file of the samples and writes the tables of its page.

The samples are where CROSSDOCK_SAMPLES says. What disagrees with a file's own source is listed with
a letter, which the page explains.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.corpus.looking import disagreement_table, look, rows, verdict_table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "edi-corpus.md"
BEGIN, END = "<!-- {}: written by make corpus -->", "<!-- end of {} -->"


def folder() -> Path:
    """Where the samples are."""
    default = ROOT.parent / "shared" / "samples"
    return Path(os.environ.get("CROSSDOCK_SAMPLES", default)) / "edi"


def written(page: str, name: str, lines: list[str]) -> str:
    """The page with a table of this name put in its place."""
    begin, end = BEGIN.format(name), END.format(name)
    head, _, rest = page.partition(begin)
    tail = rest.partition(end)[2]
    return "\n".join([head + begin, *lines, end]) + tail


def main() -> int:
    """Print the table and write both; 1 where the samples are not here."""
    found = [look(folder(), row) for row in rows(folder())]
    if not found:
        print("no samples here: set CROSSDOCK_SAMPLES to their folder", file=sys.stderr)  # noqa: T201
        return 1
    verdicts, disagreements = list(verdict_table(found)), list(disagreement_table(found))
    page = PAGE.read_text("utf-8")
    page = written(page, "verdicts", verdicts)
    PAGE.write_text(written(page, "disagreements", disagreements), "utf-8")
    slowest = max(found, key=lambda each: each.cpu_seconds)
    print("\n".join(verdicts))  # noqa: T201
    print(f"{len(found)} files, {len(disagreements) - 2} disagree with their source: {PAGE.name}")  # noqa: T201
    print(f"slowest: {slowest.cpu_seconds * 1e3:.0f} ms of CPU, {slowest.row.path}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
