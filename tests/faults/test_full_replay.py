"""Row 15, as far as it can be done without a device that loses writes."""

from __future__ import annotations

from pathlib import Path

from tests.faults.full_replay import full_replay

MESSAGES = 300


async def test_15_a_whole_stream_that_is_delivered_again_has_no_effect(tmp_path: Path) -> None:
    found = await full_replay(MESSAGES, tmp_path)
    assert found["delivered_again"] >= MESSAGES
    assert found["before"]["document"] >= MESSAGES
    assert found["after"] == found["before"]
