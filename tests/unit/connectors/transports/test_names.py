"""Safe names: what passes unchanged, what is made safe, and that nothing collides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.transports.names import LONGEST_SAFE, safe_name


@pytest.mark.parametrize("name", ["po.edi", "940_XD2QKZ7M3P4A.edi", "a-b.c_D", "x" * LONGEST_SAFE])
def test_a_safe_name_comes_back_unchanged(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("../../etc/passwd", "_.._etc_passwd-", ""),
        ("a b\n.edi", "a_b_-", ".edi"),
        (".hidden", "hidden-", ""),
        ("-rf", "rf-", ""),
        ("", "file-", ""),
        ("...", "file-", ""),
        ("\u00e9\u00e8.edi", "__-", ".edi"),
        ("x" * 300 + ".edi", "x" * 90, ".edi"),
        ("\udcff", "_-", ""),
    ],
)
def test_an_unsafe_name_is_made_safe_and_marked(text: str, start: str, end: str) -> None:
    safe = safe_name(text)
    assert safe.startswith(start)
    assert safe.endswith(end)
    assert safe != text


@given(text=st.text(st.characters(codec=None), max_size=300))
def test_every_name_becomes_safe_and_stays_so(text: str) -> None:
    safe = safe_name(text)
    assert 0 < len(safe) <= LONGEST_SAFE
    assert safe.isascii()
    assert not safe.startswith((".", "-"))
    assert not set(safe) & set("/\\*> \n\0")
    assert safe_name(safe) == safe


@given(pair=st.lists(st.text("a.-_/ \n\u00e9", max_size=8), min_size=2, max_size=2, unique=True))
def test_two_names_never_become_one(pair: list[str]) -> None:
    assert safe_name(pair[0]) != safe_name(pair[1])
