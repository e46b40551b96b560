"""The documentation as tests read it: pages, their code, their tables, their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S
)
_TITLED = re.compile(r"^`(?P<path>[^`\n]+)`:\n\n```\w+\n(?P<text>.*?)^```$", re.M | re.S)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.*?)\s*$", re.M)


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text("utf-8")

    @cached_property
    def prose(self) -> str:
        """All but fenced code."""
        return _FENCE.sub("", self.text)

    def code(self, *languages: str) -> Iterator[str]:
        """Fenced code in one of these languages ("" for none), one text each."""
        for fence in _FENCE.finditer(self.text):
            if fence["language"] in languages:
                yield re.sub(f"^{fence['indent']}", "", fence["text"], flags=re.M)

    def files(self) -> dict[str, str]:
        """Whole files: fenced code under a line that is only its path in backquotes and a colon."""
        return {found["path"]: found["text"] for found in _TITLED.finditer(self.text)}

    @cached_property
    def words(self) -> list[str]:
        """Everything in backquotes outside fenced code."""
        return _INLINE.findall(self.prose)

    @cached_property
    def links(self) -> list[str]:
        """Where its links lead."""
        return _LINK.findall(self.prose)

    @cached_property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub makes them."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}

    def section(self, heading: str) -> str:
        """The text under a heading, up to the next one of its level or above."""
        found = re.search(rf"^(#+) {re.escape(heading)}$\n", self.prose, re.M)
        assert found is not None, f"{self.name} has no section {heading}"
        rest = self.prose[found.end() :]
        end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.M)
        return rest[: end.start()] if end else rest


def first_cells(section: str) -> list[str]:
    """What stands in backquotes in the first column of a section's tables."""
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [word for row in rows for word in _INLINE.findall(row.split("|")[1])]


def _anchor(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", plain).strip().lower().replace(" ", "-")


def pages() -> list[Page]:
    """Everything that is written for readers."""
    patterns = (
        "*.md",
        "docs/*.md",
        "docs/*/*.md",
        "connectors/*/README.md",
        "mappings/*.md",
        "sandbox/*.md",
    )
    return [Page(path) for pattern in patterns for path in sorted(ROOT.glob(pattern))]
