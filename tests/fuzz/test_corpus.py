"""The fuzzers' kept inputs, and as many changed ones each time: no promise about bad bytes breaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.keep import smallest
from tests.fuzz.seeds import written
from tests.fuzz.targets import CORPUS, TARGETS, Target, inputs

CHANGED = 10
"""How many changed copies of each input are run: a number, so that every run is the same."""

KEPT = [(name, path) for name in TARGETS if (CORPUS / name).is_dir() for path in inputs(name)]


def changed(data: bytes, target: Target, luck: random.Random) -> bytes:
    """The input with a few bytes removed, doubled, replaced, or a word put in."""
    for _ in range(luck.randint(1, 4)):
        at = luck.randrange(len(data) + 1)
        to = min(len(data), at + luck.randint(0, 12))
        put = luck.choice((b"", data[at:to] * 2, luck.choice(target.words), luck.randbytes(1)))
        data = data[:at] + put + data[to:]
    return data[: target.longest]


def copies(name: str, data: bytes) -> Iterator[bytes]:
    luck = random.Random(data)  # noqa: S311  # a game that goes the same way every time
    yield data
    for _ in range(CHANGED):
        yield changed(data, TARGETS[name], luck)


@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{name}-{path.name}" for name, path in KEPT])
def test_a_kept_input_and_its_copies_break_no_promise(name: str, path: Path) -> None:
    for data in copies(name, path.read_bytes()):
        TARGETS[name].run(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_first_inputs_break_no_promise(name: str) -> None:
    files = [path for folder in TARGETS[name].seeds for path in sorted(folder.rglob("*.edi"))]
    first = [path.read_bytes() for path in files] + written(name)
    assert len(first) > 10
    for data in first:
        TARGETS[name].run(data)


def test_only_what_runs_something_new_is_kept() -> None:
    order = next(iter(sorted(TARGETS["x12"].seeds[0].rglob("one_order.edi")))).read_bytes()
    kept = list(smallest([b"  ", b"", b" ", order, order + b" " * 9], TARGETS["x12"].run))
    assert kept[0] == b""
    assert order in kept
    assert order + b" " * 9 not in kept
