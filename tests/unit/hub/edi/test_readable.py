"""Papers: whatever a document says in words or numbers of its own stands on its page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.inspectors import INSPECTORS
from connectors.paper import Field, Paper
from hub.edi.compare import Head, compared
from hub.edi.files import format_of
from hub.edi.papers import papers, shelved
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
    data = path.read_bytes()
    system = format_of(data)
    if system is None:
        return
    found = INSPECTORS[system].inspect(data)
    bodies = [s["body"] for i in found["interchanges"] for s in i["sets"] if s["body"]]
    all_of_them = list(papers(path))
    assert len(all_of_them) == len(bodies)
    for paper, body in zip(all_of_them, bodies, strict=True):
        shown = "\n".join(page(paper))
        areas = [body.get(area, {}) for area in ("heading", "detail", "summary")]
        assert [word for word in words(areas) if word not in shown] == []


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_document_is_no_different_from_itself(path: Path) -> None:
    if format_of(path.read_bytes()) is not None:
        with shelved(path) as before, shelved(path) as after:
            assert list(compared(before, after)) == []
            assert [each.number for each in before.heads] == [p.number for p in papers(path)]


class Written:
    """Documents that hold nothing but what they are."""

    def __init__(self, *heads: tuple[str, str]) -> None:
        self.heads = [Head(kind, number, f"a {kind}") for kind, number in heads]

    def paper(self, at: int) -> Paper:
        head = self.heads[at]
        return Paper(head.type, head.name, head.number, (Field("Place", str(at)),), ())


def test_documents_of_two_files_are_matched_by_number_then_in_their_order() -> None:
    before = Written(("850", "1"), ("850", "2"), ("850", "3"), ("810", "9"), ("855", "5"))
    after = Written(("850", "3"), ("850", "4"), ("850", "1"), ("810", "9"), ("856", "6"))
    found = [(each.where, each.what, each.before, each.after) for each in compared(before, after)]
    assert found == [
        ("", "removed", "5", ""),
        ("", "changed", "2", "4"),
        ("850 1", "changed", "0", "2"),
        ("850 3", "changed", "2", "0"),
        ("", "added", "", "6"),
    ]
