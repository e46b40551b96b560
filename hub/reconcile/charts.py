"""Bar charts as inline SVG: no script, no font, no resource from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _NAMES, _BAR, _STEP = 760, 260, 18, 26
_VALUES = 130
"""Room for the value behind the longest bar."""
_LONGEST_NAME = 42


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, how long it is, and what is written behind it."""

    name: str
    size: float
    label: str


def bars(title: str, data: Sequence[Bar]) -> str:
    """Return a chart of horizontal bars, the first on top; its data are in the text as well.

    Args:
        title: what it shows, also for screen readers.
        data: the bars; sizes not below 0.
    """
    if not data:
        return f'<p class="none">{escape(title)}: nothing</p>'
    most = max(bar.size for bar in data) or 1
    height = len(data) * _STEP + 4
    drawn = "".join(
        _bar(bar, y * _STEP, bar.size / most * (_WIDTH - _NAMES - _VALUES))
        for y, bar in enumerate(data)
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg role="img" '
        f'aria-label="{escape(title, quote=True)}" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}">{drawn}</svg></figure>'
    )


def _bar(bar: Bar, y: int, width: float) -> str:
    name = bar.name if len(bar.name) <= _LONGEST_NAME else bar.name[: _LONGEST_NAME - 1] + "…"
    middle = y + _BAR - 4
    return (
        f"<g><title>{escape(bar.name)}: {escape(bar.label)}</title>"
        f'<text class="name" x="{_NAMES - 8}" y="{middle}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_NAMES}" y="{y}" width="{max(width, 1):.1f}" height="{_BAR}" rx="2"/>'
        f'<text x="{_NAMES + max(width, 1) + 6:.1f}" y="{middle}">{escape(bar.label)}</text></g>'
    )
