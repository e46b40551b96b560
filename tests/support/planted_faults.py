"""One thing wrong each: what must be found, and the money that it is about."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.support.planted import NOW, Story, Teller, World

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_PAST = NOW - 3 * _DAY
_PRICE = Decimal("2.50")


def never_billed(world: World) -> None:
    world.story().created().shipped(24).must("ship-not-invoiced", 24 * _PRICE)


def billed_in_part(world: World) -> None:
    story = world.story().created().shipped(10, asked=24).shipped(14).billed(20)
    story.must("ship-not-invoiced", 4 * _PRICE)


def invoice_taken_back(world: World) -> None:
    story = world.story().created().shipped(24).billed(24, status="Canceled")
    story.must("ship-not-invoiced", 24 * _PRICE)


def never_posted(world: World) -> None:
    story = world.story().created().shipped(24, posted=False)
    story.must("ship-not-invoiced", 24 * _PRICE)


def _purchase(world: World) -> Story:
    return world.story(connection="purchasing").created()


def supplier_bills_what_never_came(world: World) -> None:
    _purchase(world).shipped(20).billed(24).must("three-way-match", 4 * _PRICE)


def supplier_bills_too_dear(world: World) -> None:
    story = _purchase(world).shipped(24).billed(24, price=Decimal(3))
    story.must("three-way-match", Decimal(12))


def supplier_sends_too_many(world: World) -> None:
    _purchase(world).shipped(30).billed(30).must("three-way-match", 6 * _PRICE)


def supplier_never_bills(world: World) -> None:
    story = world.story(connection="purchasing", age=70 * _DAY).created().shipped(24)
    story.must("three-way-match", 24 * _PRICE)


def supplier_promises_less(world: World) -> None:
    _purchase(world).answered(20).must("answer-drift", 4 * _PRICE)


def supplier_refuses_a_line(world: World) -> None:
    _purchase(world).answered(0, refused=24).must("answer-drift", 24 * _PRICE)


def supplier_answers_dearer(world: World) -> None:
    _purchase(world).answered(24, price=Decimal(3)).must("answer-drift", Decimal(12))


def supplier_promises_later(world: World) -> None:
    story = world.story(connection="purchasing", ship_by=NOW).created()
    later = (NOW + 20 * _DAY).date().isoformat()
    story.answered(24, ship_on=later).must("answer-drift", 24 * _PRICE)


def billed_for_nothing(world: World) -> None:
    world.story().created().billed(24).must("invoiced-not-shipped", 24 * _PRICE)


def billed_twice(world: World) -> None:
    story = world.story().created().shipped(24).billed(24).billed(24)
    story.must("invoiced-not-shipped", 24 * _PRICE)


def shipped_too_many(world: World) -> None:
    story = world.story().created().shipped(30).billed(30)
    story.must("quantity-drift", 6 * _PRICE)


def shipped_after_the_change(world: World) -> None:
    story = world.story().created().changed("change", 12).shipped(24).billed(24)
    story.must("quantity-drift", 12 * _PRICE)


def shipped_unasked(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    story.shipped(5, item="GIFT").billed(5, item="GIFT").must("quantity-drift", None)


def overcharged(world: World) -> None:
    story = world.story().created().shipped(24).billed(24, price=Decimal("2.75"))
    story.must("price-drift", 24 * Decimal("0.25"))


def undercharged_by_the_dozen(world: World) -> None:
    story = world.story(quantity=2, unit="DZN", price=Decimal(30)).created()
    story.shipped(24).billed(24, price=Decimal(2)).must("price-drift", Decimal(12))


def billed_in_euros(world: World) -> None:
    story = world.story().created().shipped(24).billed(24, currency="EUR")
    story.must("price-drift", None)


def held_for_days(world: World) -> None:
    story = world.story(state="held")
    world.rows.hold(story.order)
    story.must("ordered-not-acknowledged", 24 * _PRICE)


def refused(world: World) -> None:
    story = world.story(state="dead")
    story.created("dead", external_id=None, code="refused")
    world.rows.letter(story.order)
    story.must("ordered-not-acknowledged", 24 * _PRICE)


def in_doubt(world: World) -> None:
    story = world.story(state="accepted")
    story.created("in_doubt", external_id=None)
    story.must("ordered-not-acknowledged", 24 * _PRICE)


def never_left(world: World) -> None:
    story = world.story(ship_by=_PAST).created()
    story.must("not-shipped-by-date", 24 * _PRICE)


def left_in_part(world: World) -> None:
    story = world.story(ship_by=_PAST).created().shipped(10).billed(10)
    story.must("not-shipped-by-date", 14 * _PRICE)


def not_confirmed(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    name = story.sent(age=3 * _DAY)
    story.must("acknowledgement-overdue", 24 * _PRICE, name)


def turned_down(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    name = story.sent(age=3 * _DAY, said="rejected")
    story.must("acknowledgement-overdue", 24 * _PRICE, name)
    story.must("ordered-not-acknowledged", 24 * _PRICE)  # its 940 is dead as well


def stock_missing(world: World) -> None:
    world.count += 1
    item = f"SKU-{world.count}"
    world.expected["inventory-variance", world.stock(item, "500", "450")] = (
        Decimal(200) if world.count < 400 else None
    )


def stock_unknown_to_the_erp(world: World) -> None:
    world.count += 1
    world.expected["inventory-variance", world.stock(f"NEW-{world.count}", None, "40")] = None


def stock_unknown_to_the_warehouse(world: World) -> None:
    world.count += 1
    world.expected["inventory-variance", world.stock(f"OLD-{world.count}", "40", None)] = None


def made_twice(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    story.created(occasion="replay-1", external_id=f"SO-{story.n}-again", listed=False)
    name = f"effect/bc/create_order/{story.order['id']}"
    story.must("duplicate-effects", 24 * _PRICE, name)


def listed_twice(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    first = world.rows.by_table["delivery"][-2]
    assert first["action"] == "create_order"
    world.list_at_target(first, external_id=f"SO-{story.n}-twin")
    story.must("duplicate-effects", None, f"effect/bc/create_order/XD{story.n}")


def gone_at_the_target(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    world.rows.by_table["statement_entry"].pop()
    story.must("ledger-vs-target", 24 * _PRICE, f"target/bc/create_order/SO-{story.n}")


def entered_by_hand(world: World) -> None:
    world.count += 1
    name = f"SO-{world.count}-by-hand"
    row = {"target": "bc", "action": "create_order", "external_id": name, "reference": None}
    world.list_at_target(row, amount=Decimal(99), currency="USD")
    world.expected["ledger-vs-target", f"target/bc/create_order/{name}"] = Decimal(99)


def other_amount_at_the_target(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    world.rows.by_table["statement_entry"][-1] |= {"amount": Decimal(50), "currency": "USD"}
    story.must("ledger-vs-target", Decimal(10), f"target/bc/create_order/SO-{story.n}")


def _loose(world: World, state: str, **other: object) -> None:
    """A document that no other table bears out, alone on its partner's day."""
    world.count += 1
    partner, at = f"loose{world.count}", NOW - timedelta(days=world.count % 80 + 1)
    world.rows.document(
        "tracking", f"1Z{world.count}", at, {}, partner=partner, state=state, **other
    )
    world.expected["double-entry", f"books/{partner}/{at.date().isoformat()}"] = None


def held_by_nothing(world: World) -> None:
    _loose(world, "held")


def dead_without_a_letter(world: World) -> None:
    _loose(world, "dead")


def lost_sight_of(world: World) -> None:
    _loose(world, "accepted")


def from_nowhere(world: World) -> None:
    _loose(world, "delivered", receipt=False)


def called_delivered(world: World) -> None:
    _loose(world, "delivered")
    row = world.rows.by_table["document"][-1]
    world.rows.delivery(row, "bc", "tell", row["created_at"], state="pending", external_id=None)


def interchanges_skipped(world: World) -> None:
    world.expected["interchange-gap", world.interchange(skip=2)] = None


def change_of_nothing(world: World) -> None:
    world.count += 1
    row = world.rows.document(
        "order_change", f"PO-NONE-{world.count}", NOW - 3 * _DAY, {"kind": "change"},
        state="held", version=None,
    )  # fmt: skip
    world.rows.hold(row, "orphan")
    world.expected["change-without-order", f"hold/h-{row['id']}"] = None


FAULTS: tuple[Teller, ...] = (
    never_posted, supplier_bills_what_never_came, supplier_bills_too_dear,
    supplier_sends_too_many, supplier_never_bills, never_billed, billed_in_part, invoice_taken_back, billed_for_nothing, billed_twice,
    shipped_too_many, shipped_after_the_change, shipped_unasked, overcharged,
    undercharged_by_the_dozen, billed_in_euros, held_for_days, refused, in_doubt, never_left,
    left_in_part, not_confirmed, turned_down, stock_missing, stock_unknown_to_the_erp,
    stock_unknown_to_the_warehouse, made_twice, listed_twice, gone_at_the_target, entered_by_hand,
    other_amount_at_the_target, held_by_nothing, dead_without_a_letter, lost_sight_of,
    from_nowhere, called_delivered, interchanges_skipped, supplier_promises_less,
    supplier_refuses_a_line, supplier_answers_dearer, supplier_promises_later,
    change_of_nothing,
)  # fmt: skip
