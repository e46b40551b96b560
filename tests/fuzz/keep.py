"""Which inputs are kept: the smallest that together run every step from line to line that all run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

from tests.fuzz.targets import ROOT

Arc = tuple[str, int, int]
_OURS = (str(ROOT / "connectors"), str(ROOT / "canonical"))


def smallest(contents: Iterable[bytes], run: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield the inputs that run something no smaller one did.

    Args:
        contents: all inputs.
        run: the target.

    """
    known: set[Arc] = set()
    for content in sorted(set(contents), key=lambda each: (len(each), each)):
        new = arcs(lambda content=content: run(content)) - known  # type: ignore[misc]  # bound now
        if new:
            known |= new
            yield content


def arcs(step: Callable[[], None]) -> set[Arc]:
    """The steps from line to line in our own code that a call makes."""
    found: set[Arc] = set()

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS):
            return None
        last = 0

        def line(inner: FrameType, event: str, _argument: Any) -> Any:
            nonlocal last
            if event == "line":
                found.add((name, last, inner.f_lineno))
                last = inner.f_lineno
            return line

        return line

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        step()
    finally:
        sys.settrace(before)
    return found
