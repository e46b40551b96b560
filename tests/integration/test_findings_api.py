"""`/v1/findings` and the quantities of a thread, over HTTP: who may what, and what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.api.access import Access
from hub.api.app import http_app
from hub.api.documents import DocumentsApi
from hub.api.findings import FindingsApi
from hub.clock import SystemClock
from hub.ledger import findings, reconcile_runs
from hub.ledger.engine import open_engine
from hub.ledger.tables import audit, finding
from hub.reconcile.report import ENDS, aged, as_json, summarise
from tests.support.planted import SITE, build
from tests.support.planted_clean import CLEAN

WHY = {"reason": "agreed with the buyer"}
TOKENS = {"vera": "token-of-vera", "olga": "token-of-olga"}


def found(name: str, **changes: Any) -> dict[str, Any]:
    """A row of a finding."""
    return {
        "id": f"{name}-0000", "job": "price-drift", "subject": name, "partner": "acme",
        "owner": "billing", "state": "open", "cause": "billed at another price",
        "remedy": "credit it", "amount": Decimal("12.50"), "currency": "USD", "details": {},
        "since": datetime.now(UTC) - timedelta(hours=30), "opened_at": datetime.now(UTC),
        "last_seen_at": datetime.now(UTC),
    } | changes  # fmt: skip


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    opened = open_engine(database)
    async with opened.begin() as ledger:
        rows = [found("first"), found("second", amount=None, currency=None, owner="ann")]
        await ledger.execute(sa.insert(finding), rows)
        await ledger.execute(sa.insert(finding).values(**found("gone", state="closed")))
    yield opened
    await opened.dispose()


@pytest.fixture
async def http(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    access = Access(TOKENS, {"olga": "operator"})
    routers = [
        FindingsApi(engine, SystemClock(), access).routes(),
        DocumentsApi(SITE, engine, access).routes(),
    ]
    transport = httpx.ASGITransport(http_app(routers), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub/v1/") as client:
        yield client


def of(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {TOKENS.get(name, 'x')}"}


async def test_findings_are_listed_summed_and_shown_to_any_token(http: httpx.AsyncClient) -> None:
    rows = (await http.get("findings", headers=of("vera"))).json()
    assert rows == (await http.get("findings?state=open", headers=of("vera"))).json()
    every = (await http.get("findings?state=all", headers=of("vera"))).json()
    assert {row["id"] for row in every} == {"first-0000", "second-0000", "gone-0000"}
    assert [(row["id"], row["age"], row["amount"]) for row in rows] == [
        ("first-0000", "1d 6h", "12.5"), ("second-0000", "1d 6h", None),
    ]  # fmt: skip
    one = await http.get("findings", params={"owner": "ann", "limit": 1}, headers=of("vera"))
    assert [row["id"] for row in one.json()] == ["second-0000"]
    sums = (await http.get("findings/summary", headers=of("vera"))).json()
    assert sums["total"]["count"] == 2
    assert sums["total"]["money"] == {"USD": "12.5"}
    shown = (await http.get("findings/gone-0000", headers=of("vera"))).json()
    assert (shown["state"], shown["cause"]) == ("closed", "billed at another price")


async def test_thousands_of_findings_are_summed_by_the_ledger(
    http: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    now = datetime.now(UTC)
    kinds: list[dict[str, Any]] = [
        {"since": now - timedelta(days=days, minutes=1), "currency": currency, "amount": amount}
        for days in (0, 1, 6, 7, 30, 89, 90, 4000)
        for currency, amount in (("USD", Decimal("1.5")), ("EUR", Decimal(2)), (None, None))
    ]
    kinds.append({"since": now + timedelta(hours=1), "owner": "", "partner": ""})
    kinds.append(
        {"since": now - timedelta(90), "state": "closed", "closed_at": now - timedelta(89)}
    )
    rows = [found(f"n{at}-{n}") | kind for at, kind in enumerate(kinds) for n in range(100)]
    async with engine.begin() as ledger:
        for row in rows:
            row.setdefault("closed_at", None)
        await ledger.execute(sa.insert(finding), rows)
        grouped = await findings.grouped(ledger, ENDS, now)
        every = await findings.listing(ledger)
    assert len(grouped) < 30
    sums = (await http.get("findings/summary?state=all", headers=of("vera"))).json()
    one_by_one = as_json(summarise([aged(dict(row), now) for row in every]))
    assert sums["total"]["count"] == len(every) == 2603
    for name in ("total", "by_age", "by_partner", "by_job", "by_cause", "by_owner"):
        assert comparable(sums[name]) == comparable(one_by_one[name])


def comparable(told: Any) -> Any:
    """Sums with their money as numbers."""
    if isinstance(told, list):
        return [comparable(each) for each in told]
    return told | {"money": {name: Decimal(each) for name, each in told["money"].items()}}


async def test_what_a_document_says_is_for_operators_and_all_else_for_any_token(
    http: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    world = build(3, 0, CLEAN[:1], ())
    async with engine.begin() as ledger:
        await world.rows.write(ledger)
        which = await ledger.scalar(sa.text("SELECT id FROM document LIMIT 1"))
    told = {
        name: (await http.get(f"documents/{which}", headers=of(name))).json()
        for name in ("vera", "olga")
    }
    content = told["olga"].pop("canonical")
    assert content
    assert told["vera"] == told["olga"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("documents?state=hled", "query.state"),
        ("documents?entity=ordre", "query.entity"),
        ("findings?job=nosuch", "query.job"),
        ("findings/summary?job=nosuch", "query.job"),
        ("findings?state=opne", "query.state"),
    ],
)
async def test_a_misspelt_filter_is_refused_rather_than_found_nowhere(
    http: httpx.AsyncClient, path: str, where: str
) -> None:
    answer = await http.get(path, headers=of("vera"))
    assert (answer.status_code, answer.json()["error"]["where"]) == (422, where)


async def test_every_word_that_the_ledger_knows_may_be_asked_for(http: httpx.AsyncClient) -> None:
    for path in ("documents?state=superseded&entity=acknowledgement", "findings?job=price-drift"):
        assert (await http.get(path, headers=of("vera"))).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "needed"),
    [
        ("GET", "findings", None, "vera"),
        ("GET", "findings/summary", None, "vera"),
        ("GET", "findings/totals", None, "vera"),
        ("GET", "findings/first-0000", None, "vera"),
        ("POST", "findings/first-0000/assign", WHY | {"owner": "ann"}, "olga"),
        ("POST", "findings/first-0000/accept", WHY, "olga"),
    ],
)
async def test_every_route_takes_its_role_and_no_lower_one(
    http: httpx.AsyncClient, method: str, path: str, body: Any, needed: str
) -> None:
    answers = {
        name: (await http.request(method, path, json=body, headers=of(name))).status_code
        for name in ("nobody", "vera", "olga")
    }
    reading = 200 if needed == "vera" else 403
    assert answers == {"nobody": 401, "vera": reading, "olga": 200}


async def test_a_finding_is_given_to_somebody_and_let_be_with_who_and_why(
    http: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    given = WHY | {"owner": " ann "}
    row = (await http.post("findings/first-0000/assign", json=given, headers=of("olga"))).json()
    assert (row["owner"], row["state"]) == ("ann", "open")
    row = (await http.post("findings/first-0000/accept", json=WHY, headers=of("olga"))).json()
    assert row["state"] == "accepted"
    async with engine.connect() as ledger:
        told = (await ledger.execute(sa.select(audit).order_by(audit.c.seq))).mappings().all()
    assert [(each["actor"], each["action"], each["before"], each["after"]) for each in told] == [
        ("olga", "finding.assign", {"owner": "billing"}, {"owner": "ann"}),
        ("olga", "finding.accept", {"state": "open"}, {"state": "accepted"}),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("findings/nobody-0/accept", WHY, 404, "finding_unknown"),
        ("findings/f/accept", WHY, 400, "id_too_short"),
        ("findings/first-/assign", WHY | {"owner": "ann"}, 400, "id_too_short"),
        ("findings/gone-0000/accept", WHY, 404, "finding_unknown"),
        ("findings/first-0000/accept", {"reason": "  "}, 400, "reason_missing"),
        ("findings/first-0000/assign", WHY | {"owner": " "}, 400, "owner_invalid"),
        ("findings/first-0000/assign", WHY | {"owner": "a\u0007"}, 400, "owner_invalid"),
        ("findings/first-0000/assign", WHY, 422, "request_invalid"),
        ("findings/first-0000/accept", WHY | {"state": "closed"}, 422, "request_invalid"),
    ],
)
async def test_what_is_refused_has_a_code_and_changes_nothing(
    http: httpx.AsyncClient, path: str, body: Any, status: int, code: str
) -> None:
    answer = await http.post(path, json=body, headers=of("olga"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    row = (await http.get("findings/first-0000", headers=of("olga"))).json()
    assert (row["owner"], row["state"]) == ("billing", "open")


async def test_the_totals_of_a_list_say_whether_both_sides_are_the_same(
    http: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    now = datetime.now(UTC)
    header = {
        "target": "bc", "action": "create_order", "since": now - timedelta(days=1), "until": now,
        "loaded_at": now, "actor": "ann",
    }  # fmt: skip
    entry = {"external_id": "SO-1", "reference": "XD1"}
    async with engine.begin() as ledger:
        await reconcile_runs.take_statement(ledger, header, [entry])
    (row,) = (await http.get("findings/totals", headers=of("vera"))).json()
    assert (row["target"], row["ours"], row["theirs"], row["same"]) == ("bc", 0, 1, False)
    assert len(row["their_sha256"]) == 64


async def test_a_thread_has_its_line_quantities(
    http: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    world = build(3, 0, CLEAN[:1], ())
    async with engine.begin() as ledger:
        await world.rows.write(ledger)
        number = await ledger.scalar(
            sa.text("SELECT number FROM document WHERE entity = 'order' LIMIT 1")
        )
    thread = (await http.get(f"threads/{number}", headers=of("vera"))).json()
    assert thread["lines"]
    assert {"ordered", "shipped", "invoiced", "adds_up"} <= thread["lines"][0].keys()
