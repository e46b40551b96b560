"""The bytes of a letter, for who asks by name."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from canonical.errors import Rejected
from hub.archive import Archive
from hub.dead_letters.payload import Payload, payload

NOW = datetime(2026, 5, 5, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def kept(archive: Archive, body: bytes) -> dict[str, Any]:
    """A receipt's row, and what a delivery's row says of what was sent."""
    (place,) = archive.keep([body], NOW)
    digest = sha256(body).hexdigest()
    return {"archive": place, "sha256": digest, "sent_sha256": digest}


async def test_what_was_last_sent_is_shown_before_what_was_received(archive: Archive) -> None:
    letter = {"id": "l", "receipt": kept(archive, b"in"), "delivery": kept(archive, b"out")}
    assert await payload(archive, letter) == Payload("sent", b"out")


async def test_what_was_received_is_shown_where_nothing_was_sent(archive: Archive) -> None:
    unsent = {"archive": None, "sent_sha256": None}
    letter = {"id": "l", "receipt": kept(archive, b"in"), "delivery": unsent}
    assert await payload(archive, letter) == Payload("receipt", b"in")


async def test_nothing_to_show_is_said(archive: Archive) -> None:
    with pytest.raises(Rejected, match="payload_missing"):
        await payload(archive, {"id": "l", "receipt": None, "delivery": None})


async def test_damaged_bytes_are_not_shown(archive: Archive) -> None:
    row = kept(archive, b"in") | {"sha256": "0" * 64}
    with pytest.raises(Rejected, match="archive_damaged"):
        await payload(archive, {"id": "l", "receipt": row, "delivery": None})


def test_bytes_that_are_no_text_are_base64() -> None:
    assert Payload("receipt", b"\xff\x00").as_json() == {
        "of": "receipt",
        "size": 2,
        "cut": False,
        "base64": "/wA=",
    }


def test_a_large_payload_is_cut_and_says_so() -> None:
    told = Payload("receipt", b"a" * 1_000_001).as_json()
    assert (told["size"], told["cut"], len(told["text"])) == (1_000_001, True, 1_000_000)
