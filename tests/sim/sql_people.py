"""Beginning a replay and giving a dead letter up, on tables in memory.

They stand for `hub.dead_letters.replay.begin` and `hub.dead_letters.archive.archive`, whose rules
live in SQL; `tests/integration/test_ledger_model.py` holds the two together.
"""

from __future__ import annotations

from datetime import datetime

from canonical.errors import Rejected
from hub.delivery.recovery import UNANSWERABLE
from tests.sim.sql_deliver import made_good
from tests.sim.tables import Row, Transaction

_UNDER_WAY = ("pending", "in_flight", "in_doubt")


def may_be_there(tx: Transaction, delivery_id: str) -> bool:
    """Whether any try of a delivery ended without anybody knowing whether it took effect."""
    return any(
        row["outcome"] in ("in_doubt", "ask_failed")
        or row["ended_at"] is None
        or (row["outcome"] == "dead" and row["code"] == UNANSWERABLE)
        for row in tx.all("attempt")
        if row["delivery_id"] == delivery_id
    )


def replay(tx: Transaction, letter_id: str, now: datetime) -> None:
    """Begin a replay.

    Raises:
        Rejected: ``letter_not_open``, ``already_delivered``, ``already_under_way``.
    """
    letter = _open(tx, letter_id)
    if letter["delivery_id"] is not None:
        _make_due(tx, letter, now)
    tx.change("dead_letter", letter, state="replaying", replays=letter["replays"] + 1)


def archive(tx: Transaction, letter_id: str, now: datetime) -> None:
    """Give a letter up; what waited behind it goes on.

    Raises:
        Rejected: ``letter_not_open``.
    """
    letter = _open(tx, letter_id)
    sent = tx.get("delivery", letter["delivery_id"])
    if sent is not None and sent["state"] == "dead" and not made_good(tx, sent):
        tx.change("delivery", sent, state="cancelled")
        gone = [sent["business_key"], *_give_up_followers(tx, letter, now)]
        for row in tx.all("delivery"):
            waits = row["state"] == "pending" and row["code"] == "waiting_behind"
            if waits and row["business_key"] in gone:
                tx.change("delivery", row, next_at=now)
    tx.change("dead_letter", letter, state="archived", closed_at=now)


def _open(tx: Transaction, letter_id: str) -> Row:
    letter = tx.get("dead_letter", letter_id)
    if letter is None or letter["state"] != "open":
        raise Rejected("letter_not_open", letter_id, "somebody was faster")
    return letter


def _make_due(tx: Transaction, letter: Row, now: datetime) -> None:
    sent = tx.get("delivery", letter["delivery_id"])
    if sent is None or sent["state"] == "delivered" or made_good(tx, sent):
        raise Rejected("already_delivered", letter["id"], "the target has it")
    mine = [sent[name] for name in ("document_id", "target", "action")]
    rows = tx.all("delivery")
    same = [row for row in rows if [row["document_id"], row["target"], row["action"]] == mine]
    if sent["state"] != "dead" or any(row["state"] in _UNDER_WAY for row in same):
        raise Rejected("already_under_way", letter["id"], "it is on its way")
    state = "in_doubt" if may_be_there(tx, sent["id"]) else "pending"
    tx.change("delivery", sent, state=state, next_at=now, settled_at=None, yields=True)
    document = tx.get("document", sent["document_id"])
    stuck = any(
        row["state"] in ("dead", "cancelled") and not made_good(tx, row)
        for row in tx.all("delivery")
        if row["document_id"] == sent["document_id"]
    )
    if document is not None and document["state"] == "dead" and not stuck:
        tx.change("document", document, state="accepted", settled_at=None)


def _give_up_followers(tx: Transaction, letter: Row, now: datetime) -> list[str]:
    """Cancel what of the document waits for this target; return the business keys concerned."""
    keys, targets = [], {letter["target"]}
    while targets:
        following = set()
        rows = [row for row in tx.all("delivery") if row["document_id"] == letter["document_id"]]
        there = {row["target"] for row in rows if row["state"] == "delivered"}
        for row in rows:
            after = row["after_target"]
            if row["state"] == "pending" and after in targets and after not in there:
                rest = {"next_at": None, "settled_at": now}
                tx.change(
                    "delivery", row, state="cancelled", code="given_up", place=letter["id"], **rest
                )
                keys.append(row["business_key"])
                following.add(row["target"])
        targets = following
    return keys
