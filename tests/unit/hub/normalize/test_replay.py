"""What a replay decides again, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from canonical.errors import Rejected
from connectors.base import Answer
from hub.normalize.replay import Replay, replay_id, replay_receipt, select
from hub.workers.jobs import Acknowledged, Failed, NormalizeResult

ANSWER = Answer("997", {})


def replay(**changes: Any) -> Replay:
    given: dict[str, Any] = {
        "letter": "l",
        "document": "d",
        "position": 1,
        "entity": "order",
        "flow": "850",
        "stage": "map",
        "tries": 1,
        "decided": frozenset({0, 2}),
        "answered": True,
    }
    return Replay(**(given | changes))


def made(position: int, entity: str | None = "order", **changes: Any) -> Failed:
    """Any document: what it became does not matter here."""
    error = Rejected(changes.pop("code", "still_wrong"))
    return Failed(position, "", "850", entity, "map", error, **changes)


def kept(result: NormalizeResult) -> list[tuple[int, str | None]]:
    return [
        (item.position, None if isinstance(item, Acknowledged) else item.entity)
        for item in result.documents
    ]


def test_only_the_document_at_the_letters_position_is_decided() -> None:
    result = NormalizeResult((made(0), made(1), made(2)))
    assert kept(select(result, replay())) == [(1, "order")]


def test_of_the_entities_of_one_flow_only_the_failed_one_is_decided() -> None:
    result = NormalizeResult((made(1, "order"), made(1, "customer")))
    assert kept(select(result, replay())) == [(1, "order")]


def test_a_flow_that_had_no_mapping_is_decided_with_all_that_it_becomes() -> None:
    result = NormalizeResult((made(1, "order"), made(1, "customer")))
    assert kept(select(result, replay(entity=None))) == [(1, "order"), (1, "customer")]


def test_a_flow_that_now_only_acknowledges_is_recorded() -> None:
    noted = Acknowledged(1, "", "997", {}, {})
    assert kept(select(NormalizeResult((noted,)), replay(entity=None))) == [(1, None)]


def test_a_receipt_that_failed_as_a_whole_is_decided_as_a_whole_and_answered_at_last() -> None:
    whole = replay(position=0, entity=None, stage="decode", decided=frozenset(), answered=False)
    result = select(NormalizeResult((made(0), made(1), made(2)), (ANSWER,)), whole)
    assert kept(result) == [(0, "order"), (1, "order"), (2, "order")]
    assert result.answers == (ANSWER,)


def test_what_was_hidden_behind_an_unreadable_document_is_decided_with_it() -> None:
    cut_short = replay(entity=None, stage="decode", decided=frozenset({0}))
    result = NormalizeResult((made(0), made(1), made(2)))
    assert kept(select(result, cut_short)) == [(1, "order"), (2, "order")]


def test_no_answer_is_given_twice() -> None:
    assert select(NormalizeResult((made(1),), (ANSWER,)), replay()).answers == ()
    again = replay(entity=None, stage="decode", decided=frozenset(), answered=True)
    assert select(NormalizeResult((made(1),), (ANSWER,)), again).answers == ()


def test_a_refusal_whose_answer_is_not_sent_stays_a_dead_letter() -> None:
    result = select(NormalizeResult((made(1, answered=True),), (ANSWER,)), replay())
    (item,) = result.documents
    assert isinstance(item, Failed)
    assert not item.answered


def test_what_is_no_longer_there_has_failed_again() -> None:
    (item,) = select(NormalizeResult((made(0), made(2))), replay()).documents
    assert isinstance(item, Failed)
    assert (item.position, item.error.code) == (1, "document_gone")


def test_a_receipt_that_can_no_longer_be_read_says_why() -> None:
    unread = Failed(0, "", "", None, "decode", Rejected("connection_unknown"))
    (item,) = select(NormalizeResult((unread,)), replay()).documents
    assert isinstance(item, Failed)
    assert (item.position, item.error.code) == (1, "connection_unknown")


def test_the_receipt_of_a_replay_is_the_earlier_one_under_an_id_of_its_own() -> None:
    at = datetime(2026, 5, 5, tzinfo=UTC)
    row = {
        "letter": "letter-1",
        "replays": 2,
        "position": 3,
        "id": "receipt-1",
        "connection": "acme-edi",
        "received_at": at,
        "flow": "850",
        "content_type": "text/plain",
        "facts": {"file": "a.edi"},
    }
    made_again = replay_receipt(row, b"bytes")
    assert made_again.id == replay_id("letter-1", 2) != replay_id("letter-1", 1)
    assert (made_again.body, made_again.received_at, made_again.flow) == (b"bytes", at, "850")
    assert made_again.facts == {
        "file": "a.edi",
        "replay_of": "receipt-1",
        "position": "3",
        "letter": "letter-1",
    }
