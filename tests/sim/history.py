"""What happened in one run, line by line, for whoever reads a failing seed."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Line(NamedTuple):
    """One thing that happened."""

    at: float
    what: str
    facts: tuple[str, ...]


class History:
    """The lines of one run."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def tell(self, at: float, what: str, *facts: str) -> None:
        """Note one thing."""
        self.lines.append(Line(at, what, facts))

    def digest(self) -> str:
        """Return one hash of everything: two runs of a seed have the same."""
        text = "\n".join(f"{at:.6f} {what} {facts}" for at, what, facts in self.lines)
        return hashlib.sha256(text.encode()).hexdigest()

    def text(self) -> str:
        """Return it to be read."""
        return "\n".join(
            f"{line.at:10.3f}  {line.what:<12} {' '.join(filter(None, line.facts))}"
            for line in self.lines
        )
