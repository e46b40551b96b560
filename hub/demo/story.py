"""The story: what happens, in which order, and what must come of it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from hub.demo import orders
from hub.demo.stage import Stage, our_reference

Act = Callable[[Stage], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Scene:
    """One step of the story: its title, and what it does; it returns what was seen."""

    title: str
    play: Act


async def reference_data(stage: Stage) -> str:
    """Customers, items and stock come from Business Central by polling."""

    async def there() -> bool:
        return await stage.references() >= len(orders.PRICES) * 2

    await stage.until("reference data", there)
    return f"{await stage.references()} snapshots of customers, items and stock"


async def clean_orders(stage: Stage) -> str:
    """An 850 by folder and a signed shop webhook become sales orders and warehouse orders."""
    await stage.send("acme", orders.CLEAN)
    await stage.tell("shop/orders", {**orders.SHOP_PLAIN, "wait": True})
    await stage.until_state("PO-1001", "delivered")
    await stage.until_state("#1001", "delivered")
    await stage.until("997 for PO-1001", lambda: _acknowledged(stage, "acme"))
    return "PO-1001 and shop order #1001 delivered to the ERP and the warehouse; 997 returned"


async def identity(stage: Stage) -> str:
    """A retransmission, other quantities, and the same purchase through the shop."""
    first = next(e for e in await stage.journal() if e["effect"] == "partner_file")
    name = first["name"] if "name" in first else first["file"]["name"]
    await stage.tell("partner/again", {"partner": "acme", "name": name})
    await stage.until_verdict("PO-1001", "duplicate")
    await stage.send("acme", orders.CHANGED_QUANTITIES)
    await stage.until_verdict("PO-1001", "conflict")
    await stage.tell("shop/orders", {**orders.SHOP_TWIN, "wait": True})
    await stage.until_verdict("#1002", "twin")
    reason = "the shop order repeats PO-1001, confirmed by the buyer"
    await stage.command("hold", "reject", "#1002", "--reason", reason, "--by", "demo")
    return "told apart: duplicate, conflict (held), twin (held, then rejected by a person)"


async def control_points(stage: Stage) -> str:
    """A price below tolerance and an unknown item are held; a person lets one go."""
    await stage.send("acme", orders.TOO_CHEAP, orders.UNKNOWN_ITEM)
    await stage.until_state("PO-1002", "held")
    await stage.until_state("PO-1003", "held")
    reason = "promotional price agreed with the customer"
    await stage.command("hold", "release", "PO-1002", "--reason", reason, "--by", "demo")
    await stage.until_state("PO-1002", "delivered")
    return "PO-1002 held for its price, released; PO-1003 held for an unknown item"


async def misbehaving_erp(stage: Stage) -> str:
    """429 with Retry-After, 503, and an answer that is lost after the order was created."""
    for number, rule in (
        ("PO-1004", {"kind": "status", "status": 429, "retry_after": 1, "times": 2}),
        ("PO-1005", {"kind": "status", "status": 503, "times": 2}),
        ("PO-1006", {"kind": "accept_then_reset"}),
    ):
        await _misbehave(stage, number, "/salesOrders", rule)
    await stage.send("acme", orders.THROTTLED, orders.UNAVAILABLE, orders.LOST_ANSWER)
    for number in ("PO-1004", "PO-1005", "PO-1006"):
        await stage.until_state(number, "delivered")
    return "throttled, refused and reset; all three orders settled once"


async def dead_letter(stage: Stage) -> str:
    """What cannot go on becomes a dead letter; it is planned, then replayed."""
    rule = {"kind": "status", "status": 400, "times": 1}
    await _misbehave(stage, "PO-1007", "/salesOrders", rule)
    await stage.send("acme", orders.REFUSED)
    await stage.until_state("PO-1007", "dead")
    await stage.command("dlq", "plan", "--target", "bc", "--output", "json")
    await stage.command(
        "dlq", "replay", "--target", "bc", "--reason", "the ERP's number series is repaired",
        "--by", "demo", "--yes", "--output", "json",
    )  # fmt: skip
    await stage.until_state("PO-1007", "delivered")
    return "PO-1007 refused by the ERP, dead letter planned and replayed, delivered"


async def change_before_order(stage: Stage) -> str:
    """An 860 that overtakes its 850 is parked, and goes on once the order is there."""
    await stage.tell("partner/changes", {"partner": "acme", "changes": [orders.CHANGE]})
    await stage.until_state("PO-1008", "held", "order_change")
    await stage.send("acme", orders.CHANGED)
    await stage.until_state("PO-1008", "delivered", "order_change")
    return "the change waited for PO-1008 and was applied after it"


async def bad_input(stage: Stage) -> str:
    """A file cut short, a unit that no guide knows, and a forged webhook."""
    good = (await stage.send("acme", orders.BAD_UNIT))["name"]
    await stage.tell(
        "partner/files",
        {
            "partner": "acme",
            "name": "cut-short.edi",
            "content": base64.b64encode(_CUT_SHORT).decode(),
        },
    )
    forged = await stage.http.post(
        f"{stage.world.hub_url}/in/shop",
        content=b"{}",
        headers={"content-type": "application/json", "x-shopify-hmac-sha256": "Zm9yZ2Vk"},
    )

    async def dead() -> bool:
        return await stage.dead() >= 1

    await stage.until("a dead letter for the file that was cut short", dead)
    return f"{good} refused in its 997, the cut file kept as a dead letter, forgery: {forged.status_code}"


async def volume(stage: Stage) -> str:
    """A second customer sends a dozen orders in one interchange."""
    await stage.send("northside", *orders.VOLUME)
    for each in orders.VOLUME:
        await stage.until_state(each["number"], "delivered")
    return f"{len(orders.VOLUME)} orders of northside delivered"


async def shipped(stage: Stage) -> str:
    """The warehouse's 945s are posted as shipped and invoiced; the carrier's scans follow."""
    await _misbehave(stage, "PO-1009", "shipAndInvoice", {"kind": "lose_invoice"})
    await stage.send("acme", orders.NEVER_INVOICED)
    references = expected_references()
    for number, reference in references.items():
        await stage.until(f"shipment of {number}", partial(stage.posted, reference, "shipment"))
    for number, reference in references.items():
        if number != "PO-1009":
            await stage.until(f"invoice of {number}", partial(stage.posted, reference, "invoice"))
    await stage.until("the carrier's scans", lambda: _idle(stage))
    return f"{len(references)} shipments posted, tracked to the door"


async def not_invoiced(stage: Stage) -> str:
    """One shipment was never invoiced: reconciliation finds it, re-drives it, sees it heal."""

    async def found() -> bool:
        await stage.command("reconcile", "run", "ship-not-invoiced", "--by", "demo", "-o", "json")
        return await stage.findings("healing") + await stage.findings("closed") >= 1

    await stage.until("the finding", found)
    reference = our_reference("acme", "PO-1009")
    await stage.until("the missing invoice", lambda: stage.posted(reference, "invoice"))

    async def closed() -> bool:
        await stage.command("reconcile", "run", "ship-not-invoiced", "--by", "demo", "-o", "json")
        return await stage.findings("closed") >= 1

    await stage.until("the finding to close itself", closed)
    return "PO-1009 found with age and money, invoice re-driven, finding closed"


def expected_references() -> dict[str, str]:
    """Return order number -> our reference, for every order that must be fulfilled."""
    return {
        number: our_reference(partner, number)
        for partner, numbers in orders.FULFILLED.items()
        for number in numbers
    }


async def _misbehave(stage: Stage, number: str, path: str, rule: dict[str, Any]) -> None:
    match = {"method": "POST", "path_contains": path, "reference": our_reference("acme", number)}
    await stage.tell("misbehave", {"match": match, **rule})


async def _acknowledged(stage: Stage, partner: str) -> bool:
    answer = await stage.ask(f"partner/{partner}/acknowledgements")
    return bool(answer["groups"])


async def _idle(stage: Stage) -> bool:
    try:
        return bool((await stage.ask("idle"))["idle"])
    except httpx.HTTPError:
        return False


_CUT_SHORT = (
    b"ISA*00*          *00*          *ZZ*ACMEDIST       *ZZ*CROSSDOCK      "
    b"*261120*0900*U*00401*000009901*0*P*>~"
    b"GS*PO*ACMEDIST*CROSSDOCK*20261120*0900*9901*X*004010~"
    b"ST*850*0001~BEG*00*SA*PO-CUT**20261120~PO1*1*5*EA*54.9"
)

SCENES = (
    Scene("Reference data is polled from Business Central", reference_data),
    Scene("Clean orders cross the dock", clean_orders),
    Scene("One purchase order, four times", identity),
    Scene("Control points hold, a person releases", control_points),
    Scene("The ERP misbehaves", misbehaving_erp),
    Scene("A dead letter is replayed", dead_letter),
    Scene("A change overtakes its order", change_before_order),
    Scene("Bad input", bad_input),
    Scene("A dozen orders at once", volume),
    Scene("Shipments, invoices, tracking", shipped),
    Scene("Does every shipment get invoiced?", not_invoiced),
)
