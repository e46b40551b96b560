"""`/v1/dead-letters`: who may what, in one shape of refusals; the same operations as the commands."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
import sqlalchemy as sa

from hub.api.access import Access
from hub.api.app import http_app
from hub.api.capped import MOST_BYTES
from hub.api.dead_letters import DeadLettersApi, Desk
from hub.clock import SystemClock
from hub.ledger.tables import audit, dead_letter
from hub.settings.model import DeadLetters, Role
from tests.support.dead_letters import SITE, Servers, replaying
from tests.support.deliveries import Books, running
from tests.support.dying import role
from tests.support.many_letters import many_dead
from tests.support.waiting import wait_for

ROLES: dict[str, Role] = {"olga": "operator", "adam": "approver", "root": "admin"}
CALLERS = ("nobody", "vera", *ROLES)
NAMES: dict[str, str] = {"viewer": "vera", "operator": "olga", "approver": "adam", "admin": "root"}
LETTER = "letter-0000001"
JOB = "00000000-0000-7000-8000-000000000000"
EDIT = "no-such-edit"
WHY: dict[str, Any] = {"reason": "ticket 812"}
ACT: dict[str, Any] = WHY | {"filters": {"error": "no_such"}}

MATRIX: tuple[tuple[str, str, Any, str], ...] = (
    ("GET", "", None, "viewer"),
    ("GET", "/groups", None, "viewer"),
    ("GET", f"/{LETTER}", None, "viewer"),
    ("GET", "/replays", None, "viewer"),
    ("GET", f"/replays/{JOB}", None, "viewer"),
    ("GET", "/plan?error=no_such", None, "operator"),
    ("GET", "/export", None, "operator"),
    ("GET", f"/{LETTER}/payload", None, "operator"),
    ("POST", "/replays", ACT, "operator"),
    ("POST", f"/replays/{JOB}/cancel", WHY, "operator"),
    ("POST", f"/replays/{JOB}/approve", WHY, "approver"),
    ("POST", f"/{LETTER}/edit", WHY, "operator"),
    ("POST", f"/edits/{EDIT}/approve", WHY, "approver"),
    ("POST", "/archive", ACT, "operator"),
    ("POST", "/restore", ACT, "operator"),
    ("POST", "/purge", ACT, "admin"),
)


@pytest.fixture
def api(at: Servers) -> DeadLettersApi:
    access = Access({name: f"token-of-{name}" for name in CALLERS if name != "nobody"}, ROLES)
    everybody = DeadLetters(edit_roles=("viewer",))
    site = SITE.model_copy(update={"dead_letters": everybody})
    desk = Desk(site, at.engine, at.archive, SystemClock(), cast("Any", None))
    return DeadLettersApi(desk, access)


@pytest.fixture
async def http(api: DeadLettersApi) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, as it is served."""
    transport = httpx.ASGITransport(http_app([api.routes()]), raise_app_exceptions=False)
    base = "http://hub/v1/dead-letters"
    # The client ends the base with a slash; the hub sends it on to the path without.
    async with httpx.AsyncClient(
        transport=transport, base_url=base, follow_redirects=True
    ) as client:
        yield client


def of(name: str) -> dict[str, str]:
    """The headers of a caller."""
    return {} if name == "nobody" else {"authorization": f"Bearer token-of-{name}"}


async def test_every_route_takes_its_role_and_those_above_it_and_no_other(
    at: Servers, http: httpx.AsyncClient
) -> None:
    await many_dead(at.engine, 1)
    order = ["nobody", *NAMES.values()]
    for method, path, body, needed in MATRIX:
        for caller in order:
            answer = await http.request(method, path, json=body, headers=of(caller))
            may = order.index(caller) >= order.index(NAMES[needed])
            expected = 401 if caller == "nobody" else 403
            assert (answer.status_code not in (401, 403)) is may, (method, path, caller)
            if not may:
                assert answer.status_code == expected, (method, path, caller)
                assert set(answer.json()) == {"error"}
                assert set(answer.json()["error"]) == {"code", "where", "detail"}
    async with at.engine.connect() as ledger:
        assert await ledger.scalar(sa.select(sa.func.count()).select_from(audit)) == 0


def test_the_matrix_names_every_route(api: DeadLettersApi) -> None:
    served = {
        (method, route.path)
        for route in cast("list[Any]", api.routes().routes)
        for method in route.methods
    }
    named = {
        (
            method,
            "/v1/dead-letters"
            + path.partition("?")[0]
            .replace(LETTER, "{letter_id}")
            .replace(JOB, "{job_id}")
            .replace(EDIT, "{edit_id}"),
        )
        for method, path, _, _ in MATRIX
    }
    assert named == served


async def test_openapi_says_that_a_token_is_needed_and_what_may_be_refused(
    http: httpx.AsyncClient,
) -> None:
    found = (await http.get("http://hub/openapi.json")).json()
    assert found["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            assert operation["security"] == [{"HTTPBearer": []}], (path, method)
            assert {"401", "403", "404", "413", "503"} <= set(operation["responses"])
            refusal = operation["responses"]["403"]["content"]["application/json"]["schema"]
            assert refusal["$ref"].endswith("/Refusal")


@pytest.mark.parametrize("token", ["", "token-of-olg", "token-of-olgaa", "Token-of-olga"])
async def test_a_token_that_is_nearly_right_is_none(http: httpx.AsyncClient, token: str) -> None:
    answer = await http.get("", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorised")


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        (("GET", "/letter-9999999", None), 404, "letter_unknown"),
        (("GET", f"/replays/{JOB}", None), 404, "job_unknown"),
        (("POST", f"/replays/{JOB}/cancel", WHY), 404, "job_unknown"),
        (("GET", "?limit=0", None), 422, "request_invalid"),
        (("GET", "?no_such=1", None), 422, "request_invalid"),
        (("GET", "?doc=ordre", None), 422, "request_invalid"),
        (("GET", "?since=yesterday", None), 400, "moment_invalid"),
        (("POST", "/replays", WHY), 400, "selection_missing"),
        (("POST", "/replays", {"reason": " ", "all": True}), 400, "reason_missing"),
        (("POST", "/replays", {"all": True}), 422, "request_invalid"),
        (("POST", "/replays", WHY | {"all": True, "rate": 0}), 422, "request_invalid"),
        (("POST", "/replays", ACT), 404, "nothing_chosen"),
        (("POST", "/replays", WHY | {"all": True, "max": 1}), 409, "too_many"),
        (("POST", "/archive", ACT), 404, "nothing_matched"),
        (("POST", "/archive", WHY | {"filters": {"key": "a\0b"}}), 400, "value_invalid"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_one_shape(
    at: Servers, http: httpx.AsyncClient, call: tuple[str, str, Any], status: int, code: str
) -> None:
    await many_dead(at.engine, 2)
    method, path, body = call
    answer = await http.request(method, path, json=body, headers=of("olga"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert set(error) == {"code", "where", "detail"}


async def test_a_body_without_end_is_refused(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * (MOST_BYTES // 10)

    for content in (b" " * (MOST_BYTES + 1), endless()):
        answer = await http.post("/archive", content=content, headers=of("olga"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


async def test_a_ledger_that_is_away_is_503(http: httpx.AsyncClient, at: Servers) -> None:
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.text("ALTER TABLE dead_letter RENAME TO elsewhere"))
    answer = await http.get("", headers=of("vera"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_letters_are_replayed_over_http_and_the_caller_is_in_the_audit_trail(
    at: Servers, books: Books, http: httpx.AsyncClient
) -> None:
    await many_dead(at.engine, 3)
    wish = WHY | {"filters": {"target": "bc"}, "canary": 1, "rate": 500}
    dry = await http.post("/replays", json=wish | {"dry_run": True}, headers=of("olga"))
    assert (dry.status_code, dry.json()["total"], await books.rows(audit)) == (202, 3, [])
    asked = await http.post("/replays", json=wish, headers=of("olga"))
    assert (asked.status_code, asked.json()["state"]) == (202, "canary")
    path = f"/replays/{asked.json()['id']}"

    async def ended() -> bool:
        return (await http.get(path, headers=of("vera"))).json()["ended_at"] is not None

    async with running(role(at)), replaying(at):
        await wait_for(ended, deadline=30, what="the job")
    found = (await http.get(path, headers=of("vera"))).json()
    assert found["counts"] == {"replayed": 3}
    assert [each["outcome"] for each in found["items"]] == ["replayed"] * 3
    (entry,) = await books.rows(audit, action="replay_job.ask")
    assert (entry["actor"], entry["reason"]) == ("olga", "ticket 812")


async def test_listing_and_groups_over_http_never_show_a_payload(
    at: Servers, http: httpx.AsyncClient
) -> None:
    await many_dead(at.engine, 3)
    rows = (await http.get("", params={"limit": 2}, headers=of("vera"))).json()
    assert [row["number"] for row in rows] == ["1", "2"]
    (group,) = (await http.get("/groups", headers=of("vera"))).json()
    assert (group["count"], group["money"]) == (3, {"USD": "360"})
    shown = (await http.get(f"/{LETTER}", headers=of("vera"))).json()
    assert shown["history"][0]["outcome"] == "dead"
    assert "canonical" not in str(rows) + str(shown)


async def test_archived_letters_are_purged_only_after_their_retention(
    at: Servers, books: Books, http: httpx.AsyncClient
) -> None:
    await many_dead(at.engine, 2)
    one = WHY | {"filters": {"ids": [LETTER]}}
    (archived,) = (await http.post("/archive", json=one, headers=of("olga"))).json()
    assert archived["outcome"] == "archived"
    (early,) = (await http.post("/purge", json=one, headers=of("root"))).json()
    assert (early["outcome"], early["code"]) == ("refused", "retention_not_over")
    (still_open,) = (
        await http.post(
            "/purge", json=WHY | {"filters": {"ids": ["letter-0000002"]}}, headers=of("root")
        )
    ).json()
    assert still_open["code"] == "letter_not_open"
    past = SystemClock().now() - timedelta(days=SITE.dead_letters.retention_days, minutes=1)
    async with at.engine.begin() as ledger:
        await ledger.execute(
            sa.update(dead_letter).where(dead_letter.c.id == LETTER).values(closed_at=past)
        )
    dry = (await http.post("/purge", json=one | {"dry_run": True}, headers=of("root"))).json()
    assert dry[0]["outcome"] == "would_purge"
    (gone,) = (await http.post("/purge", json=one, headers=of("root"))).json()
    assert gone["outcome"] == "purged"
    assert [row["id"] for row in await books.rows(dead_letter)] == ["letter-0000002"]
    (entry,) = await books.rows(audit, action="dead_letter.purge")
    assert (entry["actor"], entry["before"]["code"]) == ("root", "customer_unknown")


async def test_exports_neutralise_formulas(at: Servers, http: httpx.AsyncClient) -> None:
    await many_dead(at.engine, 2)
    async with at.engine.begin() as ledger:
        await ledger.execute(sa.update(dead_letter).values(place='=cmd|" /C calc"!A0'))
    answer = await http.get("/export", params={"format": "csv"}, headers=of("olga"))
    text = answer.text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["place"] for row in rows] == ['\'=cmd|" /C calc"!A0'] * 2
    assert rows[0]["amount"] == "120"
    lines = (await http.get("/export", headers=of("olga"))).text.splitlines()
    assert len(lines) == 2
