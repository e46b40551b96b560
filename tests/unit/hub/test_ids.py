"""Ids: the same name always has the same id, and both kinds are proper UUIDs."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from hub.ids import derived_id, new_id

NAMESPACE = uuid.UUID("0b0e9d0a-6c9e-5f0f-8a7e-4c3a2f1d5e6b")
"""Changing it would let everything that was done once be done again."""


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_a_derived_id_is_the_version_5_uuid_of_its_parts(parts: list[str]) -> None:
    assert derived_id(*parts) == str(uuid.uuid5(NAMESPACE, "\x1f".join(parts)))


def test_parts_are_kept_apart() -> None:
    assert derived_id("a", "bc") != derived_id("ab", "c")


def test_new_ids_are_version_7_and_rise_with_the_clock() -> None:
    first, second = new_id(1_700_000_000_000), new_id(1_700_000_000_001)
    assert first < second
    assert {uuid.UUID(first).version, uuid.UUID(second).version} == {7}
