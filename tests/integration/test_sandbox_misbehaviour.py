"""The sandbox goes wrong as scripted: for real on the wire, with the effect where it was promised."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.sandbox_process import SandboxProcess
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox")).start()
    yield process
    process.kill()


@pytest.fixture
def books(sandbox: SandboxProcess) -> Iterator[httpx.Client]:
    sandbox.token()
    with sandbox.books() as client:
        yield client
    sandbox.control("DELETE", "/misbehave")


def _order(reference: str) -> dict[str, Any]:
    line = {"lineType": "Item", "lineObjectNumber": "1896-S", "quantity": 4}
    header = {"customerNumber": "C10010", "externalDocumentNumber": reference}
    return {**header, "salesOrderLines": [line]}


def _created(sandbox: SandboxProcess, reference: str) -> int:
    return len(sandbox.journal(effect="sales_order_created", reference=reference))


def _script(sandbox: SandboxProcess, **rule: Any) -> None:
    sandbox.control("POST", "/misbehave", json=rule)


def test_429_says_how_long_to_wait_and_nothing_takes_effect(
    sandbox: SandboxProcess, books: httpx.Client
) -> None:
    match = {"method": "POST", "path_contains": "/salesOrders"}
    _script(sandbox, kind="status", status=429, retry_after=1, times=2, match=match)
    assert books.get("/items").status_code == 200
    for _ in range(2):
        answer = books.post("/salesOrders", json=_order("XDBUSY000001"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
        assert answer.json()["error"]["code"] == "Application_TooManyRequests"
    assert _created(sandbox, "XDBUSY000001") == 0
    assert books.post("/salesOrders", json=_order("XDBUSY000001")).status_code == 201


def test_accept_then_reset_resets_the_connection_after_the_effect(
    sandbox: SandboxProcess, books: httpx.Client
) -> None:
    _script(sandbox, kind="accept_then_reset", match={"reference": "XDRESET00001"})
    with pytest.raises(httpx.ReadError):
        books.post("/salesOrders", json=_order("XDRESET00001"))
    assert _created(sandbox, "XDRESET00001") == 1
    query = {"$filter": "externalDocumentNumber eq 'XDRESET00001'"}
    assert len(books.get("/salesOrders", params=query).json()["value"]) == 1


@pytest.mark.parametrize("kind", ["accept_then_reset", "reset_before"])
def test_a_reset_is_a_tcp_reset_and_no_orderly_close(
    sandbox: SandboxProcess, books: httpx.Client, kind: str
) -> None:
    reference = f"XDRST{kind[:7].upper()}"
    request = books.build_request("POST", "/salesOrders", json=_order(reference))
    where = urlsplit(sandbox.address)
    head = [f"POST {request.url.raw_path.decode()} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    _script(sandbox, kind=kind, match={"reference": reference})
    with socket.create_connection((where.hostname, where.port), timeout=10) as raw:
        raw.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + request.content)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)
    assert _created(sandbox, reference) == (1 if kind == "accept_then_reset" else 0)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SandboxProcess]:
    """A sandbox that this test may kill."""
    process = SandboxProcess(tmp_path).start()
    yield process
    process.kill()


def test_a_kill_right_after_the_reset_does_not_lose_the_effect(own: SandboxProcess) -> None:
    _script(own, kind="accept_then_reset")
    with own.books() as books, pytest.raises(httpx.ReadError):
        books.post("/salesOrders", json=_order("XDRESET00002"))
    own.kill()
    own.start()
    assert _created(own, "XDRESET00002") == 1


def test_slow_answers_late_and_hang_never(sandbox: SandboxProcess, books: httpx.Client) -> None:
    _script(sandbox, kind="slow", delay_seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        books.post("/salesOrders", json=_order("XDSLOW000001"), timeout=0.1)
    _script(sandbox, kind="hang", applies=True)
    with pytest.raises(httpx.ReadTimeout):
        books.post("/salesOrders", json=_order("XDHANG000001"), timeout=0.5)
    assert _created(sandbox, "XDHANG000001") == 1
    _script(sandbox, kind="hang")
    with pytest.raises(httpx.ReadTimeout):
        books.post("/salesOrders", json=_order("XDHANG000002"), timeout=0.2)
    assert _created(sandbox, "XDHANG000002") == 0


def test_drip_gives_the_answer_byte_by_byte(sandbox: SandboxProcess, books: httpx.Client) -> None:
    _script(sandbox, kind="drip", delay_seconds=0)
    with books.stream("GET", "/items?$top=1&$select=number") as answer:
        parts = list(answer.iter_raw())
    assert len(parts) > 1
    assert b"".join(parts).endswith(b"}")


@pytest.mark.parametrize("kind", ["html_login", "ok_with_error_body"])
def test_a_200_can_be_a_lie(sandbox: SandboxProcess, books: httpx.Client, kind: str) -> None:
    _script(sandbox, kind=kind)
    answer = books.post("/salesOrders", json=_order(f"XDLIE{kind[:7].upper()}"))
    assert answer.status_code == 200
    assert ("error" in answer.text) or ("<html>" in answer.text)
    assert _created(sandbox, f"XDLIE{kind[:7].upper()}") == 0


def test_apply_twice_is_marked_as_the_targets_own_doing(
    sandbox: SandboxProcess, books: httpx.Client
) -> None:
    _script(sandbox, kind="apply_twice")
    assert books.post("/salesOrders", json=_order("XDTWICE00001")).status_code == 201
    assert _created(sandbox, "XDTWICE00001") == 2
    doubles = sandbox.control("GET", "/double-effects")["double_effects"]
    found = [one for one in doubles if one["reference"] == "XDTWICE00001"]
    assert [(one["kind"], one["planted"]) for one in found] == [("sales_order_twice", True)]


def test_a_lost_invoice_is_posted_by_a_later_posting(
    sandbox: SandboxProcess, books: httpx.Client
) -> None:
    order = books.post("/salesOrders", json=_order("XDLOST000001")).json()
    post = f"/salesOrders({order['id']})/Microsoft.NAV.shipAndInvoice"
    _script(sandbox, kind="lose_invoice", match={"reference": "XDLOST000001"})
    assert books.get(f"/salesOrders({order['id']})").status_code == 200
    assert books.post(post).status_code == 204
    invoices = {"$filter": "externalDocumentNumber eq 'XDLOST000001'"}
    assert books.get("/salesInvoices", params=invoices).json()["value"] == []
    lines = books.get(f"/salesOrders({order['id']})/salesOrderLines").json()["value"]
    assert [(one["shippedQuantity"], one["invoicedQuantity"]) for one in lines] == [(4, 0)]
    assert books.post(post).status_code == 204
    assert len(books.get("/salesInvoices", params=invoices).json()["value"]) == 1
    assert books.get(f"/salesOrders({order['id']})").status_code == 404
    effects = [one["effect"] for one in sandbox.journal(reference="XDLOST000001")]
    assert effects.count("shipment_posted") == effects.count("invoice_posted") == 1


def test_the_sign_in_service_misbehaves_on_its_own(
    sandbox: SandboxProcess, books: httpx.Client
) -> None:
    _script(sandbox, kind="status", status=503, system="entra")
    assert books.get("/items").status_code == 200
    assert httpx.post(sandbox.ready["token_url"], data={}).status_code == 503


@pytest.mark.parametrize(
    "rule", [{"kind": "explode"}, {"kind": "status", "status": 200}, {"kind": "slow", "x": 1}, {}]
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox: SandboxProcess, rule: object) -> None:
    answer = httpx.post(f"{sandbox.ready['control']}/misbehave", json=rule)
    assert answer.status_code == 422


def test_other_requests_go_on_while_one_hangs(sandbox: SandboxProcess, books: httpx.Client) -> None:
    _script(sandbox, kind="hang", match={"path_contains": "/customers"})
    hanging = threading.Thread(target=_ignore_timeout, args=(sandbox,))
    hanging.start()
    wait_until(lambda: not sandbox.control("GET", "/misbehave")["rules"])
    assert books.get("/items").status_code == 200
    hanging.join()


def _ignore_timeout(sandbox: SandboxProcess) -> None:
    with sandbox.books() as books, pytest.raises(httpx.ReadTimeout):
        books.get("/customers", timeout=1)
