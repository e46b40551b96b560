"""Papers: whatever a document says in words or numbers of its own stands on its page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.inspectors import INSPECTORS
from hub.edi.compare import compared
from hub.edi.files import opened
from hub.edi.papers import papers
from hub.edi.readable import page

ROOT = Path(__file__).parents[4]
SAMPLES = sorted(
    path for format_ in INSPECTORS for path in (ROOT / "connectors" / format_ / "samples").glob("*/*.edi")
)  # fmt: skip
_CODE = 4
"""What is longer than a code is somebody's own word."""


def words(node: Any) -> Iterator[str]:
    """All values of a body that are neither codes nor plain digits, which dates and amounts are."""
    if isinstance(node, str):
        if len(node) > _CODE and not node.isdecimal():
            yield node
    else:
        for inner in node.values() if isinstance(node, dict) else node:
            yield from words(inner)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_nothing_that_a_document_says_is_left_out(path: Path) -> None:
    file = opened(path)
    if file.system is None:
        return
    found = INSPECTORS[file.system].inspect(file.data)
    bodies = [s["body"] for i in found["interchanges"] for s in i["sets"] if s["body"]]
    all_of_them = list(papers(path))
    assert len(all_of_them) == len(bodies)
    for paper, body in zip(all_of_them, bodies, strict=True):
        shown = "\n".join(page(paper))
        areas = [body.get(area, {}) for area in ("heading", "detail", "summary")]
        assert [word for word in words(areas) if word not in shown] == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_document_is_no_different_from_itself(path: Path) -> None:
    file = opened(path)
    if file.system is not None:
        all_of_them = list(papers(path))
        assert compared(all_of_them, all_of_them) == []
