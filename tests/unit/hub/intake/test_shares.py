"""Dividing what is to be held in memory."""

from __future__ import annotations

import pytest

from hub.intake.shares import shares


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([4, 6], [[4, 6]]),
        ([4, 7], [[4], [7]]),
        ([11, 1, 12], [[11], [1], [12]]),
        ([12, 0, 0], [[12], [0, 0]]),
        ([3, 3, 3, 3], [[3, 3, 3], [3]]),
    ],
)
def test_a_share_holds_what_fits_in_order_and_at_least_one(
    sizes: list[int], expected: list[list[int]]
) -> None:
    assert shares(sizes, lambda size: size, 10) == expected
