"""The sandbox's shop, carrier, warehouse and customers, over real HTTP and real folders."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.x12 import Envelope, read, write
from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import wait_until
from tests.support.webhook_catcher import Catcher, catching

SHOP_SECRET = "sandbox-shop-secret-for-demo-only"  # noqa: S105  the demo's
CARRIER_SECRET = "sandbox-carrier-secret-for-demo-only"  # noqa: S105  the demo's
ORDER: dict[str, Any] = {
    "po_number": "PO-77",
    "lines": [{"sku": "1896-S", "quantity": 2, "price": "1000.80"}],
}


@pytest.fixture
def hub() -> Iterator[Catcher]:
    with catching() as catcher:
        yield catcher


@pytest.fixture
def sandbox(tmp_path: Path, hub: Catcher) -> Iterator[SandboxProcess]:
    arguments = [
        "--hub-url", hub.url, "--ship-seconds", "0", "--carrier-seconds", "0",
        "--lakeside-inbox", str(tmp_path / "inbox"), "--lakeside-outbox", str(tmp_path / "outbox"),
        "--partner", f"acme={tmp_path / 'acme-in'},{tmp_path / 'acme-out'}",
        "--retry-seconds", "0.01,0.01,0.01",
    ]  # fmt: skip
    process = SandboxProcess(tmp_path / "data", arguments).start()
    yield process
    process.kill()


def _shipping_order(folder: Path, control: int, number: str, quantity: str = "4") -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    body = [["W05", "N", number, "PO-1"], ["LX", "1"], ["W01", quantity, "EA", "", "VN", "1896-S"]]
    text = write(Envelope("CROSSDOCK", "LAKESIDE3PL", control, at, "OW"), [("940", body)])
    folder.mkdir(exist_ok=True)
    (folder / f".{control}").write_text(text)
    (folder / f".{control}").rename(folder / f"940_{control}.x12")


def test_a_shop_order_reaches_the_hub_signed(sandbox: SandboxProcess, hub: Catcher) -> None:
    answer = sandbox.control("POST", "/shop/orders", json={**ORDER, "wait": True})
    assert (answer["status"], answer["acknowledged"]) == (202, True)
    (call,) = hub.caught
    assert call.path == "/in/shop"
    digest = hmac.new(SHOP_SECRET.encode(), call.body, hashlib.sha256).digest()
    assert base64.b64decode(call.headers["x-shopify-hmac-sha256"]) == digest
    assert call.headers["x-shopify-topic"] == "orders/create"
    assert call.headers["x-shopify-webhook-id"] == answer["delivery_id"]
    assert json.loads(call.body)["line_items"][0]["price"] == "1000.80"
    (sent,) = sandbox.journal(effect="webhook_sent")
    assert (sent["reference"], sent["acknowledged"]) == ("PO-77", True)


def test_an_earlier_delivery_can_be_sent_again_and_a_forged_one_once(
    sandbox: SandboxProcess, hub: Catcher
) -> None:
    first = sandbox.control("POST", "/shop/orders", json={**ORDER, "wait": True})
    again = {"webhook_id": first["delivery_id"], "wait": True}
    sandbox.control("POST", "/shop/redeliver", json=again)
    assert hub.caught[0].body == hub.caught[1].body
    assert hub.caught[0].headers == hub.caught[1].headers
    hub.statuses = [401]
    forged = sandbox.control(
        "POST", "/shop/orders", json={**ORDER, "signature": "bad", "wait": True}
    )
    assert (forged["status"], forged["acknowledged"], forged["number"]) == (401, False, 1)
    unknown = httpx.post(
        f"{sandbox.ready['control']}/shop/redeliver", json={"webhook_id": "nothing"}
    )
    assert unknown.status_code == 404


def test_deliveries_go_on_after_a_kill_and_to_a_hub_that_moved(
    sandbox: SandboxProcess, hub: Catcher
) -> None:
    sandbox.control("PUT", "/hub", json={"url": "http://127.0.0.1:9"})
    sandbox.arguments = [*sandbox.arguments, "--retry-seconds", ",".join(["0.05"] * 100)]
    sandbox.control("POST", "/shop/orders", json=ORDER)
    sandbox.kill()
    sandbox.start()
    wait_until(lambda: hub.caught)
    wait_until(lambda: sandbox.control("GET", "/idle")["idle"])
    assert [one["acknowledged"] for one in sandbox.journal(effect="webhook_sent")][-1] is True


def test_a_940_comes_back_as_945_and_997_and_the_parcel_is_tracked(
    sandbox: SandboxProcess, hub: Catcher, tmp_path: Path
) -> None:
    _shipping_order(tmp_path / "outbox", 1, "XDSHIP000001")
    wait_until(lambda: len(hub.caught) == 3)
    wait_until(lambda: sandbox.control("GET", "/idle")["idle"])
    (advice,) = read(next((tmp_path / "inbox").glob("945_*")).read_text())
    assert advice.groups[0].sets[0].segments[0][2] == "XDSHIP000001"
    assert len(list((tmp_path / "inbox").glob("997_*"))) == 1
    events = [json.loads(call.body) for call in hub.caught]
    statuses = [event["result"]["status"] for event in events]
    assert statuses == ["pre_transit", "in_transit", "delivered"]
    assert [len(event["result"]["tracking_details"]) for event in events] == [1, 2, 3]
    assert {call.path for call in hub.caught} == {"/in/tracking"}
    call = hub.caught[-1]
    digest = hmac.new(CARRIER_SECRET.encode(), call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-hmac-signature"] == f"hmac-sha256-hex={digest}"
    effects = [one["effect"] for one in sandbox.journal(reference="XDSHIP000001")]
    assert effects[:3] == [
        "warehouse_order_received",
        "warehouse_file_prepared",
        "warehouse_shipment_sent",
    ]
    assert effects.count("tracker_event_sent") == 3


def test_the_warehouse_ships_as_it_is_told(sandbox: SandboxProcess, tmp_path: Path) -> None:
    plan = {"reference": "XDSHIP000002", "parts": 2, "short": {"1896-S": "1"}}
    sandbox.control("POST", "/warehouse/plan", json=plan)
    _shipping_order(tmp_path / "outbox", 1, "XDSHIP000002", "5")
    wait_until(lambda: len(list((tmp_path / "inbox").glob("945_*"))) == 2)
    wait_until(lambda: sandbox.control("GET", "/idle")["idle"])
    sent = sandbox.journal(effect="warehouse_shipment_sent")
    assert [one["shipment"]["items"][0]["quantity"] for one in sent] == ["2", "2"]


def test_a_carrier_scan_can_be_told_by_hand(sandbox: SandboxProcess, hub: Catcher) -> None:
    scan = {"tracking_code": "1ZHAND", "status": "failure", "reference": "XD1", "wait": True}
    assert sandbox.control("POST", "/carrier/scan", json=scan)["acknowledged"]
    assert json.loads(hub.caught[0].body)["result"]["status"] == "failure"
    url = f"{sandbox.ready['control']}/carrier/scan"
    unknown = {"tracking_code": "1ZNONE", "status": "delivered"}
    assert httpx.post(url, json=unknown).status_code == 404
    assert httpx.post(url, json={**scan, "status": "eaten"}).status_code == 422


def test_a_customer_sends_files_and_reads_its_acknowledgements(
    sandbox: SandboxProcess, tmp_path: Path
) -> None:
    line = {"sku": "1896-S", "quantity": "2", "price": "1000.80"}
    order = {"number": "PO-1", "ordered_on": "2026-03-02", "lines": [line]}
    asked = {"partner": "acme", "orders": [order]}
    file = sandbox.control("POST", "/partner/orders", json=asked)
    change = {"number": "PO-1", "ordered_on": "2026-03-02", "requested_on": "2026-03-03"}
    sandbox.control("POST", "/partner/changes", json={"partner": "acme", "changes": [change]})
    again = sandbox.control(
        "POST", "/partner/again", json={"partner": "acme", "name": file["name"]}
    )
    odd = {"partner": "acme", "name": "odd.x12", "content": base64.b64encode(b"\xff").decode()}
    sandbox.control("POST", "/partner/files", json=odd)
    names = {path.name for path in (tmp_path / "acme-in").iterdir()}
    assert names == {file["name"], "860_000000002.x12", again["name"], "odd.x12"}
    answer = [["AK1", "PO", "1"], ["AK9", "A", "1", "1", "1"]]
    at = datetime(2026, 3, 2, tzinfo=UTC)
    (tmp_path / "acme-out").mkdir()
    (tmp_path / "acme-out" / "997.x12").write_text(
        write(Envelope("CROSSDOCK", "ACMEDIST", 1, at, "FA"), [("997", answer)])
    )
    assert sandbox.control("GET", "/partner/acme/acknowledgements") == {"groups": {"1": "A"}}
    files = sandbox.journal(effect="partner_file")
    assert [one["again"] for one in files] == ["", "", file["name"], ""]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/partner/orders", {"partner": "nobody", "orders": []}, 422),
        ("/partner/again", {"partner": "nobody", "name": "x"}, 404),
        ("/partner/again", {"partner": "acme", "name": "x"}, 404),
        ("/partner/files", {"partner": "acme", "name": "../x", "content": ""}, 422),
        ("/partner/files", {"partner": "acme", "name": "x", "content": "?"}, 422),
        ("/business_central/items", {"number": "none", "inventory": 1}, 404),
    ],
)
def test_wrong_requests_to_the_control_side_are_refused(
    sandbox: SandboxProcess, path: str, body: dict[str, Any], status: int
) -> None:
    assert httpx.post(f"{sandbox.ready['control']}{path}", json=body).status_code == status


def test_reference_data_changes_on_request(sandbox: SandboxProcess) -> None:
    def item() -> dict[str, Any]:
        query = "/items?$filter=number eq '1896-S'"
        row: dict[str, Any] = books.get(query).json()["value"][0]
        return row

    with sandbox.books() as books:
        before = item()
        sandbox.control(
            "POST", "/business_central/items", json={"number": "1896-S", "inventory": "3"}
        )
        assert item()["inventory"] == 3
        assert item()["lastModifiedDateTime"] == before["lastModifiedDateTime"]
        sandbox.control(
            "POST", "/business_central/items", json={"number": "1896-S", "unit_price": "9.99"}
        )
        assert item()["unitPrice"] == 9.99
        assert item()["lastModifiedDateTime"] > before["lastModifiedDateTime"]
        blocked = {"number": "C10010", "blocked": "Ship"}
        sandbox.control("POST", "/business_central/customers", json=blocked)
        query = "/customers?$filter=blocked eq 'Ship'"
        assert [row["number"] for row in books.get(query).json()["value"]] == ["C10010"]
