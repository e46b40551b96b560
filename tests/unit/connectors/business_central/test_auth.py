"""Tokens: fetched once, replaced before they expire and once when they are refused."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from canonical.errors import Retryable
from connectors.business_central.api import Api, Write
from tests.support.business_central import COMPANY_URL, ManualClock, options

SECRET = "hush"  # noqa: S105  # of nobody
TOKEN_URL = "https://login.example/tenant/oauth2/v2.0/token"  # noqa: S105
URL = f"{COMPANY_URL}/customers"


def signed_in(clock: ManualClock | None = None) -> Api:
    config = options(
        token="",
        token_url=TOKEN_URL,
        client_id="me",
        client_secret=SECRET,
    )
    return Api(config, clocks=(clock or ManualClock()).clocks())


def token(value: str, expires_in: object = 3599) -> httpx.Response:
    return httpx.Response(200, json={"access_token": value, "expires_in": expires_in})


def bearer(route: respx.Route) -> list[str]:
    return [call.request.headers["Authorization"] for call in route.calls]


@respx.mock
async def test_client_credentials_are_posted_as_a_form() -> None:
    ask = respx.post(TOKEN_URL).mock(return_value=token("one"))
    respx.get(URL).mock(return_value=httpx.Response(200, json={}))
    async with signed_in() as api:
        await api.get(URL)
    assert parse_qs(ask.calls.last.request.content.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": [SECRET],
        "scope": ["https://api.businesscentral.dynamics.com/.default"],
    }


@respx.mock
async def test_many_calls_at_once_share_one_token() -> None:
    ask = respx.post(TOKEN_URL).mock(return_value=token("one"))
    route = respx.get(URL).mock(return_value=httpx.Response(200, json={}))
    async with signed_in() as api:
        await asyncio.gather(*(api.get(URL) for _ in range(10)))
    assert ask.call_count == 1
    assert set(bearer(route)) == {"Bearer one"}


@respx.mock
@pytest.mark.parametrize("life", [3599, "3599"])
async def test_a_token_is_replaced_a_minute_before_it_expires(life: object) -> None:
    ask = respx.post(TOKEN_URL).mock(side_effect=[token("one", life), token("two")])
    route = respx.get(URL).mock(return_value=httpx.Response(200, json={}))
    clock = ManualClock()
    async with signed_in(clock) as api:
        await api.get(URL)
        clock.seconds += 3538
        await api.get(URL)
        assert ask.call_count == 1
        clock.seconds += 1
        await api.get(URL)
    assert bearer(route) == ["Bearer one", "Bearer one", "Bearer two"]


@respx.mock
async def test_a_refused_token_is_replaced_once() -> None:
    respx.post(TOKEN_URL).mock(side_effect=[token("one"), token("two")])
    route = respx.post(URL).mock(
        side_effect=[httpx.Response(401), httpx.Response(201, json={"id": "x"})]
    )
    async with signed_in() as api:
        assert await api.write(Write("POST", URL, b'{"a":1}')) == {"id": "x"}
    assert bearer(route) == ["Bearer one", "Bearer two"]
    assert [call.request.content for call in route.calls] == [b'{"a":1}', b'{"a":1}']


@respx.mock
async def test_a_token_refused_twice_is_for_later() -> None:
    ask = respx.post(TOKEN_URL).mock(return_value=token("one"))
    route = respx.post(URL).mock(return_value=httpx.Response(401))
    async with signed_in() as api:
        with pytest.raises(Retryable, match="unauthorised"):
            await api.write(Write("POST", URL, b"{}"))
    assert (ask.call_count, route.call_count) == (2, 2)


@respx.mock
async def test_a_fixed_token_is_not_asked_for_again() -> None:
    route = respx.get(URL).mock(return_value=httpx.Response(401))
    async with Api(options(), clocks=ManualClock().clocks()) as api:
        with pytest.raises(Retryable, match="unauthorised"):
            await api.get(URL)
    assert route.call_count == 1


@respx.mock
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), "unauthorised"),
        (httpx.Response(400, json={"error": "invalid_request"}), "unauthorised"),
        (httpx.Response(503), "target_unavailable"),
        (httpx.Response(200, html="<html>"), "not_the_api"),
        (httpx.Response(200, json={"token": "x"}), "not_the_api"),
        (httpx.Response(200, json={"access_token": "a\nb"}), "not_the_api"),
    ],
)
async def test_without_a_token_nothing_is_sent(answer: httpx.Response, code: str) -> None:
    respx.post(TOKEN_URL).mock(return_value=answer)
    route = respx.post(URL)
    async with signed_in() as api:
        with pytest.raises(Retryable, match=f"{code} at token_url") as raised:
            await api.write(Write("POST", URL, b"{}"))
    assert not route.called
    assert SECRET not in str(raised.value)


@respx.mock
async def test_an_unreachable_token_endpoint_is_no_doubt_about_the_write() -> None:
    respx.post(TOKEN_URL).mock(side_effect=httpx.ReadTimeout("no"))
    async with signed_in() as api:
        with pytest.raises(Retryable, match="target_unavailable"):
            await api.write(Write("POST", URL, b"{}"))


def test_secrets_do_not_show() -> None:
    config = options(token="", token_url=TOKEN_URL, client_id="me", client_secret=SECRET)
    assert SECRET not in repr(config)
    assert SECRET not in config.model_dump_json()
