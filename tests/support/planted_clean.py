"""Stories in which nothing is wrong, however much it looks like it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.support.planted import NOW, Teller, World

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_PAST, _FUTURE = NOW - 3 * _DAY, NOW + 5 * _DAY


def plain(world: World) -> None:
    world.story(ship_by=_PAST).created().shipped(24).billed(24)


def sent_to_the_warehouse(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    story.sent(age=5 * _DAY, said="accepted", said_age=4 * _DAY)


def acknowledged_late_with_errors(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    story.sent(age=5 * _DAY, said="accepted_with_errors")


def two_shipments_one_invoice(world: World) -> None:
    world.story().created().shipped(10, asked=24).shipped(14, asked=14).billed(24)


def one_shipment_two_invoices(world: World) -> None:
    world.story().created().shipped(24).billed(20).billed(4)


def backordered(world: World) -> None:
    world.story(ship_by=_PAST).created().shipped(20, asked=24).billed(20)


def changed_to_less(world: World) -> None:
    world.story(ship_by=_PAST).created().changed("change", 12).shipped(12).billed(12)


def cancelled(world: World) -> None:
    world.story(ship_by=_PAST).created().changed("cancel")


def by_the_dozen(world: World) -> None:
    story = world.story(quantity=2, unit="DZN", price=Decimal(30)).created()
    story.shipped(24).billed(24, price=Decimal("2.5"))


def by_the_carton(world: World) -> None:
    story = world.story(quantity=2, unit="XCT", price=Decimal(30)).created()
    story.shipped(2, unit="XCT").billed(24, price=Decimal("2.5"))


def within_tolerances(world: World) -> None:
    world.story(quantity=100).created().shipped(101).billed(101, price=Decimal("2.51"))


def with_freight(world: World) -> None:
    world.story().created().shipped(24).billed(24, freight=True)


def credited(world: World) -> None:
    world.story().created().shipped(24).billed(24).billed("-4")


def billed_again_after_a_cancelled_invoice(world: World) -> None:
    story = world.story().created().shipped(24)
    story.billed(24, status="Canceled").billed(24)


def billed_ahead_and_credited(world: World) -> None:
    world.story().created().shipped(20, asked=24).billed(24).billed("-4")


def bought(world: World) -> None:
    world.story(connection="purchasing").created().shipped(10).shipped(14).billed(24)


def bought_and_to_be_billed(world: World) -> None:
    world.story(connection="purchasing", age=40 * _DAY, ship_by=_PAST).created().shipped(24)


def bought_as_answered(world: World) -> None:
    world.story(connection="purchasing").created().answered(24).shipped(24).billed(24)


def answered_otherwise_and_come(world: World) -> None:
    story = world.story(connection="purchasing").created().answered(20, price=Decimal(9))
    story.shipped(24).billed(24)


def answered_after_a_change(world: World) -> None:
    world.story(connection="purchasing").created().changed("change", 20).answered(20)


def just_shipped(world: World) -> None:
    world.story().created().shipped(24, age=_HOUR)


def posting_on_its_way(world: World) -> None:
    world.story().created().shipped(24, age=_HOUR, posted=False)


def just_billed(world: World) -> None:
    world.story(age=3 * _DAY).created().billed(24, age=_HOUR)


def just_ordered(world: World) -> None:
    world.story(age=_HOUR, state="accepted").created("pending", external_id=None)


def just_held(world: World) -> None:
    story = world.story(age=_HOUR, state="held")
    world.rows.hold(story.order)


def to_ship_later(world: World) -> None:
    world.story(ship_by=_FUTURE, age=2 * _DAY).created()


def just_sent(world: World) -> None:
    world.story().created().shipped(24).billed(24).sent(age=2 * _HOUR)


def made_good_by_a_replay(world: World) -> None:
    story = world.story()
    story.created("dead", external_id=None)
    story.created(occasion="replay-1")
    story.shipped(24).billed(24)


def found_again_under_its_id(world: World) -> None:
    story = world.story().created()
    story.created(occasion="replay-1", external_id=f"SO-{story.n}", listed=False)
    story.shipped(24).billed(24)


def invoice_driven_again(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    for n in (1, 2):
        world.rows.delivery(
            story.last, "bc", "invoice_shipment", NOW - _DAY, occasion=f"redrive-{n}"
        )


def repeated(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    world.rows.document(
        "order", f"PO-{story.n}", NOW - _DAY, {}, state="duplicate", version=None, **story.facts
    )


def rejected(world: World) -> None:
    story = world.story().created().shipped(24).billed(24)
    world.rows.document(
        "order", f"PO-{story.n}", NOW - _DAY, {}, state="rejected", version=None, **story.facts
    )


def unreadable(world: World) -> None:
    world.count += 1
    row = world.rows.document(
        "unknown", f"U-{world.count}", NOW - 3 * _DAY, {}, state="dead", version=None
    )
    world.rows.letter(row)


def same_stock(world: World) -> None:
    plain(world)
    world.stock(f"EVEN-{world.count}", "500", "500.0")


def stock_within_tolerance(world: World) -> None:
    plain(world)
    world.stock(f"NEAR-{world.count}", "500", "504")


def stock_that_moves(world: World) -> None:
    plain(world)
    world.stock(f"MOVE-{world.count}", "500", "300", age=_HOUR / 6)


def change_before_its_order(world: World) -> None:
    plain(world)
    row = world.rows.document(
        "order_change", f"PO-SOON-{world.count}", NOW - _HOUR, {"kind": "change"},
        state="held", version=None,
    )  # fmt: skip
    world.rows.hold(row, "orphan")


def interchanges_in_turn(world: World) -> None:
    plain(world)
    world.interchange()


CLEAN: tuple[Teller, ...] = (
    plain, sent_to_the_warehouse, acknowledged_late_with_errors, two_shipments_one_invoice,
    one_shipment_two_invoices, backordered, changed_to_less, cancelled, by_the_dozen,
    by_the_carton, within_tolerances, with_freight, credited,
    billed_again_after_a_cancelled_invoice, billed_ahead_and_credited, bought,
    bought_and_to_be_billed, bought_as_answered, answered_otherwise_and_come,
    answered_after_a_change, just_shipped,
    posting_on_its_way, just_billed, just_ordered, just_held, to_ship_later, just_sent,
    made_good_by_a_replay, found_again_under_its_id, invoice_driven_again, repeated, rejected,
    unreadable, same_stock, stock_within_tolerance, stock_that_moves,
    interchanges_in_turn, change_before_its_order,
)  # fmt: skip
