"""The checker catches whatever a hub can do wrong: a checker that finds nothing proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.faults.checker import Evidence, Row, documents, judge


def document(
    number: str | None = "E1", verdict: str = "accept", state: str = "delivered", n: int = 1
) -> Row:
    return {
        "id": f"d{n}",
        "receipt_id": f"r{n}",
        "number": number,
        "verdict": verdict,
        "state": state,
    }


def receipt(n: int = 1) -> Row:
    return {"id": f"r{n}", "file": f"f{n}", "delivery_id": f"f{n}:1:abc"}


def effect(kind: str, quantity: str, reference: str = "XD1") -> Row:
    return {"effect": kind, "reference": reference, "lines": [{"quantity": quantity}]}


def delivery(n: int = 1, target: str = "bc", number: str = "E1", state: str = "delivered") -> Row:
    return {
        "document_id": f"d{n}",
        "target": target,
        "state": state,
        "reference": "XD1" if target == "bc" else "XD2",
        "number": number,
    }


@pytest.fixture
def seen() -> Evidence:
    """An order and its change at the ERP, an order at the dock; all is well."""
    return Evidence(
        sent={"f1": [("E1", 1)], "f2": [("E1", 2)], "f3": [("D1", 1)]},
        accepted={"f1", "f2", "f3"},
        docked=[{"took": "940.x12", "orders": [["XD2", "D1", "10"]]}],
        effects=[effect("sales_order_created", "10"), effect("sales_order_changed", "11")],
        ledger={
            "receipt": [receipt(1), receipt(2), receipt(3)],
            "document": [document(), document(verdict="change", n=2), document("D1", n=3)],
            "delivery": [delivery(1), delivery(2), delivery(3, "dock", "D1")],
            "dead_letter": [],
        },
        events=[{"id": "e1", "number": "E1"}, {"id": "e2", "number": "D1"}],
        commands={"audit": {"status": 0}},
        texts={"hub-a.log": "all is well"},
    )


def test_a_world_in_which_all_is_well_has_no_problems(seen: Evidence) -> None:
    verdict = judge(seen, ["hush"], ["Ada"])
    assert verdict.problems == {}
    assert verdict.counts["documents_acknowledged"] == 3


def test_a_document_that_came_again_is_one_document(seen: Evidence) -> None:
    seen.sent["again-f3"] = [("D1", 1)]
    seen.accepted.add("again-f3")
    verdict = judge(seen, ["hush"], ["Ada"])
    assert verdict.counts["documents_acknowledged"] == 4
    assert documents(verdict.counts) == 3


def a_document_is_gone(seen: Evidence) -> None:
    del seen.ledger["document"][2]


def a_receipt_is_gone(seen: Evidence) -> None:
    del seen.ledger["receipt"][0]


def an_original_is_only_a_repeat(seen: Evidence) -> None:
    seen.ledger["document"][0]["verdict"] = "duplicate"


def a_change_is_stale_and_nothing_newer_is_there(seen: Evidence) -> None:
    seen.ledger["document"][1]["verdict"] = "stale"


def it_is_in_the_ledger_twice(seen: Evidence) -> None:
    seen.ledger["document"].append(document() | {"id": "d9"})


def it_is_still_under_way(seen: Evidence) -> None:
    seen.ledger["document"][0]["state"] = "accepted"


def the_erp_has_it_twice(seen: Evidence) -> None:
    seen.effects.append(effect("sales_order_created", "10"))


def a_change_took_effect_twice(seen: Evidence) -> None:
    seen.effects.append(effect("sales_order_changed", "11"))


def a_version_in_between_never_took_effect(seen: Evidence) -> None:
    """Version 2 and then 3 were delivered, says the ledger; the ERP was told 3 alone."""
    seen.sent["f4"] = [("E1", 3)]
    seen.accepted.add("f4")
    seen.ledger["receipt"].append(receipt(4))
    seen.ledger["document"].append(document(verdict="change", n=4))
    seen.ledger["delivery"].append(delivery(4))
    seen.effects[1] = effect("sales_order_changed", "12")


def the_dock_got_it_twice(seen: Evidence) -> None:
    seen.docked.append(seen.docked[0])


def a_change_was_undone(seen: Evidence) -> None:
    seen.effects.append(effect("sales_order_changed", "10"))


def the_dock_got_what_nobody_sent(seen: Evidence) -> None:
    seen.docked.append({"took": "x", "orders": [["XD9", "D9", "1"]]})


def the_erp_has_what_nothing_delivered(seen: Evidence) -> None:
    seen.effects.append(effect("sales_order_created", "10", "XD9"))


def the_dock_has_nothing(seen: Evidence) -> None:
    seen.docked.clear()


def the_erp_has_only_the_original(seen: Evidence) -> None:
    del seen.effects[1]


def it_was_not_published(seen: Evidence) -> None:
    del seen.events[0]


def it_was_published_twice(seen: Evidence) -> None:
    seen.events.append(seen.events[0])


def the_audit_chain_is_broken(seen: Evidence) -> None:
    seen.commands["audit"]["status"] = 1


def the_log_tells_a_secret(seen: Evidence) -> None:
    seen.texts["hub-a.log"] = "the password is hush"


def the_log_names_a_person(seen: Evidence) -> None:
    seen.texts["hub-a.log"] = "Ada lives in Portland"


def a_good_document_died(seen: Evidence) -> None:
    what_was_set_aside(seen, "internal_error")


def what_was_set_aside(seen: Evidence, code: str) -> None:
    seen.ledger["document"][2] = document(None, "accept", "dead", 3) | {"code": code}
    seen.ledger["delivery"].pop()
    seen.docked.clear()
    seen.events.pop()


def a_sender_never_heard(seen: Evidence) -> None:
    seen.sent["f4"] = [("D4", 1)]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (a_document_is_gone, "lost"),
        (a_receipt_is_gone, "lost"),
        (an_original_is_only_a_repeat, "lost"),
        (a_change_is_stale_and_nothing_newer_is_there, "lost"),
        (it_is_in_the_ledger_twice, "doubled"),
        (it_is_still_under_way, "unexplained"),
        (the_erp_has_it_twice, "doubled"),
        (a_change_took_effect_twice, "doubled"),
        (a_version_in_between_never_took_effect, "ledger_differs"),
        (the_dock_got_it_twice, "doubled"),
        (a_change_was_undone, "reordered"),
        (the_dock_got_what_nobody_sent, "unexplained"),
        (the_erp_has_what_nothing_delivered, "unexplained"),
        (the_dock_has_nothing, "ledger_differs"),
        (the_erp_has_only_the_original, "ledger_differs"),
        (it_was_not_published, "lost"),
        (it_was_published_twice, "doubled"),
        (the_audit_chain_is_broken, "audit"),
        (the_log_tells_a_secret, "told"),
        (the_log_names_a_person, "told"),
        (a_good_document_died, "given_up"),
        (a_sender_never_heard, "never_acknowledged"),
    ],
)
def test_it_is_named_that(seen: Evidence, wrong: Callable[[Evidence], Any], kind: str) -> None:
    wrong(seen)
    assert kind in judge(seen, ["hush"], ["Ada"]).problems


def test_a_stale_change_is_explained_by_a_newer_one(seen: Evidence) -> None:
    seen.sent["f4"] = [("E1", 3)]
    seen.accepted.add("f4")
    seen.ledger["receipt"].append(receipt(4))
    seen.ledger["document"][1]["verdict"] = "stale"
    seen.ledger["document"][1]["state"] = "duplicate"
    seen.ledger["document"].append(document(verdict="change", n=4))
    seen.ledger["delivery"][1] = delivery(4)
    seen.effects[1] = effect("sales_order_changed", "12")
    assert judge(seen, [], []).problems == {}


def test_what_was_set_aside_whole_is_accounted_for(seen: Evidence) -> None:
    what_was_set_aside(seen, "process_died")
    verdict = judge(seen, [], [])
    assert verdict.problems == {}
    assert verdict.counts["ended_dead"] == 1
