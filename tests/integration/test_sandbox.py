"""The sandbox process over real HTTP: Business Central as documented, and nothing lost by a kill."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One sandbox for the tests that only read and add."""
    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox"), ["--page-size", "3"]).start()
    yield sandbox
    sandbox.kill()


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox of this test's own."""
    process = SandboxProcess(tmp_path).start()
    yield process
    process.kill()


@pytest.fixture
def books(shared: SandboxProcess) -> Iterator[httpx.Client]:
    with shared.books() as client:
        yield client


def _order(reference: str, quantity: float = 4, **more: Any) -> dict[str, Any]:
    lines = [
        {"lineType": "Item", "lineObjectNumber": "1896-S", "quantity": quantity},
        {"lineType": "Item", "lineObjectNumber": "1928-S", "quantity": 2, "unitPrice": 54.90},
    ]
    header = {"customerNumber": "C10010", "externalDocumentNumber": reference}
    return {**header, "salesOrderLines": lines, **more}


def _create(books: httpx.Client, reference: str) -> dict[str, Any]:
    answer = books.post("/salesOrders?$expand=salesOrderLines", json=_order(reference))
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


def _error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def _by_reference(books: httpx.Client, collection: str, reference: str) -> list[dict[str, Any]]:
    query = {"$filter": f"externalDocumentNumber eq '{reference}'"}
    found: list[dict[str, Any]] = books.get(f"/{collection}", params=query).json()["value"]
    return found


def test_every_call_needs_a_token(shared: SandboxProcess) -> None:
    for headers in ({}, {"Authorization": "Bearer 1.0.x"}, {"Authorization": "Basic eA=="}):
        answer = httpx.get(f"{shared.company}/items", headers=headers)
        assert _error(answer) == (401, "Authentication_InvalidCredentials")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    wrong = {"grant_type": "client_credentials", "client_id": "crossdock", "client_secret": "x"}
    assert httpx.post(shared.ready["token_url"], data=wrong).status_code == 401
    other = {"grant_type": "password"}
    assert httpx.post(shared.ready["token_url"], data=other).status_code == 400


def test_the_company_is_found_by_its_collection(shared: SandboxProcess) -> None:
    headers = {"Authorization": f"Bearer {shared.token()}"}
    answer = httpx.get(f"{shared.ready['business_central']}/companies", headers=headers)
    assert [row["id"] for row in answer.json()["value"]] == [shared.ready["company_id"]]
    elsewhere = shared.company.replace(str(shared.ready["company_id"]), "0" * 8)
    assert _error(httpx.get(f"{elsewhere}/items", headers=headers))[0] == 404


def test_pages_follow_next_links_to_the_end(books: httpx.Client) -> None:
    numbers, url, pages = [], "/items?$orderby=number&$select=number,unitPrice", 0
    while url:
        page = books.get(url).json()
        numbers += [row["number"] for row in page["value"]]
        url, pages = page.get("@odata.nextLink", ""), pages + 1
    assert len(numbers) == len(set(numbers)) == 9
    assert pages == 3
    preferred = books.get("/items", headers={"Prefer": "odata.maxpagesize=2"}).json()
    assert len(preferred["value"]) == 2


def test_an_order_is_created_with_its_lines_and_found_by_our_reference(books: httpx.Client) -> None:
    order = _create(books, "XDCREATE0001")
    assert order["number"].startswith("S-ORD")
    assert [line["sequence"] for line in order["salesOrderLines"]] == [10000, 20000]
    assert order["totalAmountExcludingTax"] == 4113
    assert order["requestedDeliveryDate"] == "0001-01-01"
    (found,) = _by_reference(books, "salesOrders", "XDCREATE0001")
    assert found["id"] == order["id"]
    assert "salesOrderLines" not in found
    lines = books.get(f"/salesOrders({order['id']})/salesOrderLines").json()["value"]
    assert [line["id"] for line in lines] == [line["id"] for line in order["salesOrderLines"]]
    one = books.get(f"/salesOrderLines({lines[0]['id']})").json()
    assert one["unitPrice"] == 1000.8


def test_changes_need_the_current_etag(books: httpx.Client) -> None:
    order = _create(books, "XDETAG000001")
    line = order["salesOrderLines"][0]
    url, body = f"/salesOrderLines({line['id']})", {"quantity": 3}
    assert _error(books.patch(url, json=body)) == (400, "BadRequest_InvalidToken")
    stale = {"If-Match": 'W/"old"'}
    assert _error(books.patch(url, json=body, headers=stale)) == (409, "Request_EntityChanged")
    fresh = {"If-Match": line["@odata.etag"]}
    changed = books.patch(url, json=body, headers=fresh).json()
    assert (changed["quantity"], changed["shipQuantity"]) == (3, 3)
    assert changed["@odata.etag"] != line["@odata.etag"]
    assert _error(books.patch(url, json=body, headers=fresh))[0] == 409
    order_url = f"/salesOrders({order['id']})"
    assert books.get(order_url).json()["@odata.etag"] != order["@odata.etag"]
    any_etag = {"If-Match": "*"}
    assert books.delete(url, headers=any_etag).status_code == 204
    assert books.delete(order_url, headers=any_etag).status_code == 204
    assert _error(books.get(order_url)) == (404, "Internal_RecordNotFound")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "BadRequest_ResourceNotFound"),
        ("GET", "/items(0)", 404, "Internal_RecordNotFound"),
        ("GET", "/items?$filter=number like 'x'", 400, "BadRequest_NotFound"),
        ("GET", "/salesOrderLines", 400, "Application_DialogException"),
        ("GET", "/items?$top=20001", 413, "BadRequest"),
        ("POST", "/items", 405, "BadRequest_MethodNotAllowed"),
        ("POST", "/salesOrders", 400, "BadRequest"),
        ("PUT", "/a/b/c", 404, "BadRequest_ResourceNotFound"),
    ],
)
def test_wrong_requests_get_the_products_codes(
    books: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    assert _error(books.request(method, path, content=b"{")) == (status, code)


def test_posting_ships_invoices_and_removes_the_order(books: httpx.Client) -> None:
    order = _create(books, "XDPOST000001")
    before = books.get("/items?$filter=number eq '1896-S'").json()["value"][0]
    answer = books.post(f"/salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice")
    assert (answer.status_code, answer.content) == (204, b"")
    assert _by_reference(books, "salesOrders", "XDPOST000001") == []
    (shipment,) = _by_reference(books, "salesShipments", "XDPOST000001")
    (invoice,) = _by_reference(books, "salesInvoices", "XDPOST000001")
    assert invoice["orderNumber"] == shipment["orderNumber"] == order["number"]
    assert invoice["totalAmountExcludingTax"] == order["totalAmountExcludingTax"]
    lines = books.get(f"/salesInvoices({invoice['id']})/salesInvoiceLines").json()["value"]
    assert [(line["lineObjectNumber"], line["quantity"]) for line in lines] == [
        ("1896-S", 4),
        ("1928-S", 2),
    ]
    after = books.get("/items?$filter=number eq '1896-S'").json()["value"][0]
    assert after["inventory"] == before["inventory"] - 4
    assert after["lastModifiedDateTime"] == before["lastModifiedDateTime"]


def test_everything_is_there_after_kill_9(sandbox: SandboxProcess) -> None:
    with sandbox.books() as books:
        kept = _create(books, "XDKILL000001")
        posted = _create(books, "XDKILL000002")
        books.post(f"/salesOrders({posted['id']})/Microsoft.NAV.shipAndInvoice")
    rule = {"kind": "status", "status": 429, "times": 2}
    sandbox.control("POST", "/misbehave", json=rule)
    before, token = sandbox.journal(), sandbox.token()
    sandbox.kill()

    sandbox.start()
    assert sandbox.journal() == before
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=sandbox.company, headers=headers) as books:
        assert books.get("/items").status_code == 429
        assert books.get("/items").status_code == 429
        query = f"/salesOrders({kept['id']})?$expand=salesOrderLines"
        assert books.get(query).json()["salesOrderLines"] == kept["salesOrderLines"]
        assert len(_by_reference(books, "salesInvoices", "XDKILL000002")) == 1
        assert _create(books, "XDKILL000003")["id"] not in {kept["id"], posted["id"]}


def test_what_was_acknowledged_under_load_survives_a_kill(sandbox: SandboxProcess) -> None:
    acknowledged: list[str] = []
    enough = threading.Event()

    def create(worker: int) -> None:
        with sandbox.books() as books:
            for number in range(1000):
                reference = f"XD{worker:03d}{number:06d}"
                try:
                    answer = books.post("/salesOrders", json=_order(reference))
                except httpx.TransportError:
                    return
                if answer.status_code == 201:
                    acknowledged.append(reference)
                if len(acknowledged) > 200:
                    enough.set()

    sandbox.token()
    with ThreadPoolExecutor(8) as pool:
        for worker in range(8):
            pool.submit(create, worker)
        assert enough.wait(30)
        sandbox.kill()
    sandbox.start()
    created = {one["reference"] for one in sandbox.journal(effect="sales_order_created")}
    assert set(acknowledged) <= created
    assert sandbox.control("GET", "/double-effects") == {"double_effects": []}


def test_sigterm_ends_it_with_0_even_while_a_request_hangs(sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "/misbehave", json={"kind": "hang"})
    with sandbox.books() as books, ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(books.get, "/items")
        wait_until(lambda: not sandbox.control("GET", "/misbehave")["rules"])
        assert sandbox.stop() == 0
        assert isinstance(hanging.exception(), httpx.TransportError)


def test_it_is_a_process_group_of_its_own_and_alone_on_its_data(sandbox: SandboxProcess) -> None:
    pid = int(sandbox.ready["pid"])
    assert os.getpgid(pid) == pid
    second = SandboxProcess(sandbox.data)
    with pytest.raises(ValueError, match="Expecting value"):
        second.start()
    assert second.process is not None
    assert second.stop() == 75


def test_revoked_tokens_are_refused(sandbox: SandboxProcess) -> None:
    with sandbox.books() as books:
        assert books.get("/items").status_code == 200
        sandbox.control("POST", "/business_central/revoke_tokens")
        assert books.get("/items").status_code == 401
    with SandboxProcess(sandbox.data, ready=sandbox.ready).books() as books:
        assert books.get("/items").status_code == 200
