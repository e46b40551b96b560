"""Every answer of the target, as an error by action: reading and writing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import respx

from canonical.errors import HubError, InDoubt, Rejected, Retryable
from connectors.business_central.api import Api, Write
from connectors.business_central.faults import Stale
from tests.support.business_central import COMPANY_URL, ManualClock, options

URL = f"{COMPANY_URL}/salesOrders"
POST = Write("POST", URL, b"{}")


def bc_error(status: int, code: str, **headers: str) -> httpx.Response:
    message = "Customer C10010 of Secret Ltd may not"
    body = {"error": {"code": code, "message": message}}
    return httpx.Response(status, json=body, headers=headers)


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with Api(options(), clocks=ManualClock().clocks()) as api:
        yield api


async def failure(api: Api, response: httpx.Response, *, writing: bool) -> HubError:
    """The error that an answer becomes."""
    call = api.write(POST) if writing else api.get(URL)
    with respx.mock:
        respx.route(url=URL).mock(return_value=response)
        with pytest.raises(HubError) as raised:
            await call
    return raised.value


async def test_503_changed_nothing(api: Api) -> None:
    for writing in (False, True):
        response = httpx.Response(503, headers={"Retry-After": "7"})
        error = await failure(api, response, writing=writing)
        assert isinstance(error, Retryable)
        assert (error.code, error.retry_after) == ("target_unavailable", 7)
        assert not error.throttled


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "Tue, 05 May 2026 10:00:30 GMT"}, 30.0),
        ({"Retry-After": "Tue, 05 May 2026 09:00:00 GMT"}, 0.0),
        ({"Retry-After": "999999999"}, 3600.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_429_is_throttling_with_the_wait_that_the_target_asks_for(
    api: Api, header: dict[str, str], seconds: float | None
) -> None:
    for writing in (False, True):
        error = await failure(api, httpx.Response(429, headers=header), writing=writing)
        assert isinstance(error, Retryable)
        assert (error.code, error.throttled, error.retry_after) == ("throttled", True, seconds)


@pytest.mark.parametrize("status", [408, 500, 502, 504])
async def test_an_unanswered_write_is_in_doubt_and_an_unanswered_read_is_not(
    api: Api, status: int
) -> None:
    assert isinstance(await failure(api, httpx.Response(status), writing=True), InDoubt)
    reading = await failure(api, httpx.Response(status), writing=False)
    assert isinstance(reading, Retryable)
    assert reading.code == "target_unavailable"


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (400, "BadRequest", "request_refused"),
        (400, "BadRequest_InvalidOperation", "request_refused"),
        (404, "BadRequest_NotFound", "not_found_at_target"),
        (404, "BadRequest_ResourceNotFound", "not_found_at_target"),
        (404, "Internal_CompanyNotFound", "not_found_at_target"),
        (404, "Internal_RecordNotFound", "unknown_at_target"),
        (400, "Internal_InvalidTableRelation", "unknown_at_target"),
        (400, "Internal_EntityWithSameKeyExists", "duplicate_at_target"),
        (409, "Internal_EntityWithSameKeyExists", "duplicate_at_target"),
        (400, "Application_FieldValidationException", "field_refused"),
        (400, "Application_StringExceededLength", "text_too_long"),
        (400, "Application_DialogException", "application_refused"),
        (422, "Something_Else", "refused"),
        (413, "Something_Else", "refused"),
    ],
)
async def test_a_refusal_has_a_bounded_code_and_carries_no_data(
    api: Api, status: int, code: str, ours: str
) -> None:
    error = await failure(api, bc_error(status, code), writing=True)
    assert isinstance(error, Rejected)
    assert error.code == ours
    assert "C10010" not in str(error)
    assert "Secret" not in str(error)
    assert "Something_Else" not in str(error)
    reading = await failure(api, bc_error(status, code), writing=False)
    assert isinstance(reading, Retryable)


async def test_what_it_said_is_kept_without_what_it_said_it_about(api: Api) -> None:
    message = (
        "Customer C10010 (Secret Ltd) is blocked."
        "  CorrelationId:  7f3c1b2a-0d11-4c7e-9a55-2b6f0f5d8e21."
    )
    body = {"error": {"code": "Application_DialogException", "message": message}}
    error = await failure(api, httpx.Response(400, json=body), writing=True)
    assert error.said == (
        "HTTP 400, Application_DialogException: Customer … (…) is blocked."
        " (correlation 7f3c1b2a-0d11-4c7e-9a55-2b6f0f5d8e21)"
    )


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (bc_error(422, "Something_Else"), "HTTP 422: Customer … of … may not"),
        (bc_error(503, "Internal_TenantUnavailable"), "HTTP 503, Internal_TenantUnavailable: "),
        (bc_error(400, "C10010 Secret"), "HTTP 400: "),
        (httpx.Response(502, text="<h1>Secret Ltd proxy</h1>"), "HTTP 502"),
        (httpx.Response(400, json={"error": {"code": 7, "message": ["C10010"]}}), "HTTP 400"),
    ],
)
async def test_a_code_or_a_page_of_somebody_else_is_not_repeated(
    api: Api, response: httpx.Response, said: str
) -> None:
    error = await failure(api, response, writing=True)
    assert error.said.startswith(said)
    assert "Secret" not in error.said
    assert "C10010" not in error.said


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(412),
        bc_error(409, "Request_EntityChanged"),
        bc_error(400, "BadRequest_InvalidToken"),
    ],
)
async def test_a_stale_etag_is_its_own_error(api: Api, response: httpx.Response) -> None:
    assert isinstance(await failure(api, response, writing=True), Stale)


@pytest.mark.parametrize("code", ["Internal_ServerError", "Internal_TenantUnavailable"])
async def test_a_broken_server_behind_a_400_is_in_doubt_for_a_write(api: Api, code: str) -> None:
    assert isinstance(await failure(api, bc_error(400, code), writing=True), InDoubt)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_is_tried_again_later(api: Api, status: int) -> None:
    for writing in (False, True):
        error = await failure(api, httpx.Response(status), writing=writing)
        assert isinstance(error, Retryable)
        assert error.code == "unauthorised"


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, html="<html>Sign in</html>"),
        httpx.Response(200, content=b'{"value": [], "value": []}'),
        httpx.Response(200, content=b"[]"),
        httpx.Response(200, json={"error": {"code": "Internal_ServerError"}}),
        httpx.Response(302, headers={"Location": "https://login.example"}),
    ],
)
async def test_an_answer_that_is_not_the_apis_is_no_success(
    api: Api, response: httpx.Response
) -> None:
    reading = await failure(api, response, writing=False)
    assert (type(reading), reading.code) == (Retryable, "not_the_api")
    writing = await failure(api, response, writing=True)
    assert (type(writing), writing.code) == (InDoubt, "not_the_api")


async def test_a_proxys_404_changed_nothing(api: Api) -> None:
    error = await failure(api, httpx.Response(404, html="<h1>404</h1>"), writing=True)
    assert (type(error), error.code) == (Retryable, "not_the_api")


async def test_an_answer_above_the_cap_is_not_held() -> None:
    async with Api(options(max_response_bytes=100), clocks=ManualClock().clocks()) as api:
        large = httpx.Response(200, content=b'{"value":"' + b"x" * 200 + b'"}')
        reading = await failure(api, large, writing=False)
        assert (type(reading), reading.code) == (Retryable, "answer_too_large")
        assert isinstance(await failure(api, large, writing=True), InDoubt)


async def test_a_compressed_answer_is_not_unpacked(api: Api) -> None:
    bomb = httpx.Response(200, content=b"x", headers={"Content-Encoding": "br"})
    assert isinstance(await failure(api, bomb, writing=False), Retryable)
    assert isinstance(await failure(api, bomb, writing=True), InDoubt)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_what_never_left_changed_nothing(api: Api, error: type[httpx.TransportError]) -> None:
    with respx.mock:
        respx.post(URL).mock(side_effect=error("no"))
        with pytest.raises(Retryable, match="connection_failed"):
            await api.write(POST)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.WriteTimeout,
        httpx.RemoteProtocolError,
    ],
)
async def test_what_may_have_left_is_in_doubt_and_not_sent_again(
    api: Api, error: type[httpx.TransportError]
) -> None:
    with respx.mock:
        route = respx.post(URL).mock(side_effect=error("no"))
        with pytest.raises(InDoubt, match="answer_lost"):
            await api.write(POST)
        assert route.call_count == 1


async def test_a_read_is_tried_three_times_in_one_call(api: Api) -> None:
    with respx.mock:
        route = respx.get(URL).mock(
            side_effect=[httpx.ReadError("no"), httpx.Response(502), httpx.Response(200, json={})]
        )
        assert await api.get(URL) == ({}, b"{}")
        assert route.call_count == 3

    with respx.mock:
        route = respx.get(URL).mock(return_value=httpx.Response(503))
        with pytest.raises(Retryable, match="target_unavailable"):
            await api.get(URL)
        assert route.call_count == 3


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(429),
        httpx.Response(503, headers={"Retry-After": "1"}),
        httpx.Response(401),
        httpx.Response(200, html="<html>"),
    ],
)
async def test_a_read_that_was_asked_to_wait_is_not_tried_again_at_once(
    api: Api, response: httpx.Response
) -> None:
    with respx.mock:
        route = respx.get(URL).mock(return_value=response)
        with pytest.raises(Retryable):
            await api.get(URL)
        assert route.call_count == 1


async def test_every_request_is_json_with_our_token_and_without_compression(api: Api) -> None:
    with respx.mock:
        route = respx.patch(URL).mock(return_value=httpx.Response(204))
        assert await api.write(Write("PATCH", URL, b"{}", 'W/"x"')) == {}
    headers = route.calls.last.request.headers
    assert headers["Authorization"] == "Bearer t"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Content-Type"] == "application/json"
    assert headers["If-Match"] == 'W/"x"'


async def test_closing_twice_is_fine() -> None:
    api = Api(options())
    await api.close()
    await api.close()
