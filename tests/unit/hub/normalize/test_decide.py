"""Deciding a batch: verdicts, holds, deliveries, answers, as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from canonical.errors import Rejected
from canonical.inventory import InventoryPosition
from canonical.item import Item, ItemCodes
from canonical.money import Price
from canonical.party import Customer
from canonical.quantity import Quantity
from connectors.base import Answer, Receipt
from hub.ledger.keys import KeyState, Purchase
from hub.ledger.reference_view import ReferenceView
from hub.normalize.decide import Context, Decider
from hub.normalize.plan import Admitted, Plan
from hub.settings.model import Site
from hub.workers.jobs import Acknowledged, Failed, Normalized, NormalizeResult

NOW = datetime(2026, 5, 5, 10, tzinfo=UTC)
SITE = Site.model_validate(
    {
        "control_points": {"reference": "bc", "default_ship_method": "GROUND"},
        "partners": {
            name: {"name": name, "customer_number": "C10010"}
            for name in ("acme", "shop", "contoso")
        },
        "connections": {
            "acme-edi": {"system": "x12", "partner": "acme", "transport": {"kind": "folder"}},
            "shop": {"system": "shopify", "partner": "shop", "transport": {"kind": "webhook"}},
            "bc": {
                "system": "business_central",
                "partner": "contoso",
                "transport": {"kind": "poll"},
            },
        },
        "routes": [
            {"entity": "order", "to": "bc", "action": "create_order", "flow": "salesOrder"},
            {"entity": "order_change", "to": "bc", "action": "change_order", "flow": "change"},
        ],
    }
)
VIEW = ReferenceView(
    {"C10010": Customer(number="C10010", name="Acme")},
    {"A": Item(number="A", base_unit="EA", list_price=Price(amount=Decimal(10), currency="USD"))},
    {
        "A": InventoryPosition(
            number="A",
            item=ItemCodes(seller_sku="A"),
            on_hand=Quantity(value=Decimal(99), unit="EA"),
        )
    },
)
ORDER = {
    "po_number": "PO-1",
    "buyer": {"customer_number": "C10010"},
    "ship_to": {"address": {"lines": ["1 Dock Rd"], "city": "Reno", "postal_code": "89501"}},
    "currency": "USD",
    "ordered_on": "2026-05-04",
    "lines": [
        {
            "number": "1",
            "item": {"seller_sku": "A"},
            "quantity": {"value": "2", "unit": "EA"},
            "unit_price": {"amount": "10", "currency": "USD"},
        }
    ],
}


def normalized(**changes: Any) -> Normalized:
    given: dict[str, Any] = {
        "position": 0,
        "place": "ST 0001",
        "flow": "850",
        "control": {},
        "entity": "order",
        "canonical_json": orjson.dumps(ORDER),
        "business_key": "order/acme/PO-1/",
        "content_id": "content-1",
        "purpose": "original",
        "sequence": 0,
        "number": "PO-1",
        "reference_number": None,
        "buyer_account": "C10010",
        "buyer_po": "PO-1",
        "amount": "20",
        "currency": "USD",
        "mapping_version": "m1",
        "po_key": "C10010|PO-1",
    }
    return Normalized(**(given | changes))


def change(sequence: int, quantity: str = "3", **changes: Any) -> Normalized:
    line = {
        "number": "1",
        "action": "change",
        "item": {"seller_sku": "A"},
        "quantity": {"value": quantity, "unit": "EA"},
    }
    canonical = {
        "po_number": "PO-1",
        "change_sequence": sequence,
        "kind": "change",
        "buyer": {"customer_number": "C10010"},
        "requested_on": "2026-05-05",
        "lines": [line],
    }
    facts: dict[str, Any] = {
        "entity": "order_change",
        "purpose": "change",
        "flow": "860",
        "po_key": None,
    }
    facts["canonical_json"] = orjson.dumps(canonical)
    return normalized(sequence=sequence, content_id=f"change-{sequence}", **(facts | changes))


def admitted(*documents: Normalized | Failed | Acknowledged, **facts: Any) -> Admitted:
    name = facts.pop("receipt", "r-1")
    connection = facts.pop("connection", "acme-edi")
    answers = tuple(facts.pop("answers", ()))
    receipt = Receipt(name, connection, "d", NOW, b"bytes")
    partner = SITE.connections[connection].partner
    return Admitted(receipt, NormalizeResult(documents, answers), partner, **facts)


def context(**changes: Any) -> Context:
    given: dict[str, Any] = {
        "heads": {},
        "by_content": {},
        "by_purchase": {},
        "references": {},
        "view": VIEW,
    }
    return Context(SITE, NOW, **(given | changes))


def decide(*given: Admitted, **facts: Any) -> Plan:
    decider = Decider(context(**facts))
    for each in given:
        decider.decide(each)
    return decider.plan()


def outcomes(plan: Plan) -> list[tuple[str, str]]:
    return [(row["verdict"], row["state"]) for row in plan.documents]


def test_a_new_order_is_released_with_its_deliveries_and_one_event() -> None:
    plan = decide(admitted(normalized()))
    assert outcomes(plan) == [("accept", "accepted")]
    assert [(row["target"], row["action"]) for row in plan.deliveries] == [("bc", "create_order")]
    assert [event.subject for event in plan.events] == ["canonical.order.released"]
    assert plan.heads["order/acme/PO-1/"].version == 1


def test_the_same_order_twice_in_one_batch_is_delivered_once() -> None:
    plan = decide(admitted(normalized()), admitted(normalized(), receipt="r-2"))
    assert outcomes(plan) == [("accept", "accepted"), ("duplicate", "duplicate")]
    assert len(plan.deliveries) == len(plan.events) == 1


def test_other_content_under_the_same_key_is_a_conflict_and_delivers_nothing() -> None:
    plan = decide(admitted(normalized()), admitted(normalized(content_id="other"), receipt="r-2"))
    assert outcomes(plan)[1] == ("conflict", "held")
    assert [hold["kind"] for hold in plan.holds] == ["conflict"]
    assert len(plan.deliveries) == 1
    assert plan.heads["order/acme/PO-1/"].version == 1


def test_a_conflict_that_comes_again_is_a_duplicate_of_the_conflict() -> None:
    again = [admitted(normalized(content_id="other"), receipt=f"r-{i}") for i in (2, 3)]
    plan = decide(admitted(normalized()), *again)
    assert outcomes(plan)[1:] == [("conflict", "held"), ("duplicate", "duplicate")]


def test_the_same_purchase_through_the_shop_is_a_twin() -> None:
    shop = normalized(business_key="order/shop/#1001/", content_id="other", number="#1001")
    plan = decide(admitted(normalized()), admitted(shop, receipt="r-2", connection="shop"))
    assert outcomes(plan)[1] == ("twin", "held")
    assert len(plan.deliveries) == 1


def test_the_same_purchase_under_two_keys_of_one_channel_is_no_twin() -> None:
    release = normalized(business_key="order/acme/PO-1/R2", content_id="other")
    plan = decide(admitted(normalized()), admitted(release, receipt="r-2"))
    assert outcomes(plan)[1] == ("accept", "accepted")


def test_the_same_content_under_another_number_is_a_twin() -> None:
    rekeyed = normalized(business_key="order/acme/PO-2/", po_key="C10010|PO-2")
    plan = decide(admitted(normalized()), admitted(rekeyed, receipt="r-2"))
    assert outcomes(plan)[1] == ("twin", "held")


def test_a_twin_of_an_order_in_the_ledger_is_seen() -> None:
    known = {"C10010|PO-1": [Purchase("order/shop/#9/", "shop", "shop", NOW)]}
    assert outcomes(decide(admitted(normalized()), by_purchase=known)) == [("twin", "held")]


def test_a_change_follows_its_order_as_the_next_version() -> None:
    plan = decide(admitted(normalized()), admitted(change(1), receipt="r-2"))
    assert outcomes(plan)[1] == ("change", "accepted")
    assert [(row["action"], row["version"]) for row in plan.deliveries] == [
        ("create_order", 1),
        ("change_order", 2),
    ]
    assert plan.events[1].subject == "canonical.order_change.changed"


def test_a_change_waits_behind_its_held_order_and_delivers_nothing() -> None:
    plan = decide(admitted(normalized()), admitted(change(1), receipt="r-2"), view=ReferenceView())
    assert outcomes(plan)[1] == ("change", "held")
    assert [hold["kind"] for hold in plan.holds] == ["control_point", "behind"]
    assert plan.deliveries == []
    assert plan.heads["order/acme/PO-1/"].version == 1


def test_a_change_that_waits_is_a_duplicate_when_it_comes_again() -> None:
    again = [admitted(change(1), receipt=f"r-{i}") for i in (2, 3)]
    plan = decide(admitted(normalized()), *again, view=ReferenceView())
    assert outcomes(plan)[2] == ("duplicate", "duplicate")


def test_a_change_has_to_pass_the_control_points_of_its_lines() -> None:
    plan = decide(admitted(normalized()), admitted(change(1, "9999"), receipt="r-2"))
    assert outcomes(plan)[1] == ("change", "held")
    (reason,) = orjson.loads(plan.holds[0]["reasons"])
    assert (reason["code"], reason["where"]) == ("stock_short", "lines[0].quantity")


def test_the_same_content_counts_as_a_twin_only_within_the_partners_window() -> None:
    old = NOW - timedelta(hours=73)
    known = {"content-1": [Purchase("order/acme/PO-0/", "acme", "acme-edi", old)]}
    assert outcomes(decide(admitted(normalized()), by_content=known)) == [("accept", "accepted")]
    recent = {"content-1": [Purchase("order/acme/PO-0/", "acme", "acme-edi", NOW)]}
    assert outcomes(decide(admitted(normalized()), by_content=recent)) == [("twin", "held")]


def test_a_figure_that_comes_back_to_what_it_was_is_an_event_of_its_own() -> None:
    stock = normalized(entity="inventory", number="A@MAIN", purpose="state", sequence=1)
    first = decide(admitted(stock, connection="bc"))
    again = decide(admitted(stock._replace(sequence=3), connection="bc", receipt="r-3"))
    assert first.events[0].event_id != again.events[0].event_id


def test_an_older_change_is_stale_and_has_no_effect() -> None:
    changes = [admitted(change(n), receipt=f"r-{n}") for n in (2, 1)]
    plan = decide(admitted(normalized()), *changes)
    assert outcomes(plan)[1:] == [("change", "accepted"), ("stale", "duplicate")]
    assert len(plan.deliveries) == 2


def test_a_change_without_its_order_is_parked_and_adopted_when_the_order_comes() -> None:
    plan = decide(admitted(change(1)), admitted(normalized(), receipt="r-2"))
    assert outcomes(plan) == [("orphan", "held"), ("accept", "accepted")]
    assert plan.adopted == {"order/acme/PO-1/"}


def test_a_parked_change_is_not_adopted_by_an_order_that_is_held() -> None:
    held = normalized(canonical_json=orjson.dumps(ORDER | {"ship_to": {}}))
    plan = decide(admitted(change(1)), admitted(held, receipt="r-2"))
    assert outcomes(plan) == [("orphan", "held"), ("accept", "held")]
    assert plan.adopted == set()


def test_an_order_that_fails_a_control_point_is_held_with_all_reasons() -> None:
    plan = decide(admitted(normalized()), view=ReferenceView())
    assert outcomes(plan) == [("accept", "held")]
    reasons = orjson.loads(plan.holds[0]["reasons"])
    assert {reason["code"] for reason in reasons} == {"customer_unknown", "item_unknown"}
    assert plan.deliveries == []
    assert plan.events == []
    assert plan.heads["order/acme/PO-1/"].version == 1


def test_a_document_that_cannot_be_read_becomes_a_dead_letter_and_stops_nothing() -> None:
    broken = Failed(0, "ST 0001", "850", "order", "map", Rejected("mapping_failed", "x.jsonata"))
    plan = decide(admitted(broken, normalized(position=1)))
    assert outcomes(plan) == [("unreadable", "dead"), ("accept", "accepted")]
    assert plan.dead_letters[0]["code"] == "mapping_failed"
    assert plan.events[0].subject == "dead.map.acme-edi"


def test_a_refusal_that_the_sender_is_told_of_is_rejected_without_a_dead_letter() -> None:
    broken = Failed(0, "ST 0001", "850", None, "decode", Rejected("segment_missing"), answered=True)
    plan = decide(admitted(broken, answers=[Answer("997", {"a": "b"})]))
    assert outcomes(plan)[0] == ("unreadable", "rejected")
    assert plan.dead_letters == []


def test_an_answer_is_owed_to_the_connection_that_the_receipt_came_by() -> None:
    plan = decide(admitted(normalized(), answers=[Answer("997", {"a": "b"})]))
    (row,) = [row for row in plan.deliveries if row["target"] == "acme-edi"]
    assert (row["action"], row["flow"]) == ("send", "997")


def test_a_retransmission_is_answered_like_the_first_time() -> None:
    answers = [Answer("997", {"a": "b"})]
    first = decide(admitted(normalized(), answers=answers))
    again = decide(admitted(normalized(), receipt="r-2", same_as="r-1", answers=answers))
    owed = [plan.deliveries[-1] for plan in (first, again)]
    assert owed[0]["reference"] == owed[1]["reference"]
    assert owed[0]["id"] != owed[1]["id"]


def test_what_a_poll_repeats_leaves_no_trace() -> None:
    invoice = normalized(entity="invoice", business_key="invoice/contoso/1/", purpose="state")
    known = KeyState(1, 5, "content-1", "d", {"content-1"})
    plan = decide(
        admitted(invoice, connection="bc", polled=True), heads={"invoice/contoso/1/": known}
    )
    assert (plan.documents, plan.events) == ([], [])


def test_an_older_snapshot_never_replaces_a_newer_one() -> None:
    item = normalized(entity="item", number="A", purpose="state", sequence=3)
    known = {("bc", "item", "A"): (5, "newer")}
    plan = decide(admitted(item, connection="bc"), references=known)
    assert (plan.references, plan.events) == ({}, [])


def test_a_new_snapshot_replaces_and_is_published() -> None:
    item = normalized(entity="item", number="A", purpose="state", sequence=6)
    known = {("bc", "item", "A"): (5, "older")}
    plan = decide(admitted(item, connection="bc"), references=known)
    assert list(plan.references) == [("bc", "item", "A")]
    assert plan.events[0].subject == "canonical.item.recorded"


def test_deciding_the_same_receipt_again_gives_the_same_rows() -> None:
    assert decide(admitted(normalized())) == decide(admitted(normalized()))
