"""The hub's HTTP application, and what answers while the hub is still starting."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from canonical.errors import HubError
from hub.intake.http import refusal

_DATA_EXCEPTION = "22"
"""SQLSTATE class (PostgreSQL appendix A)."""
_STATUS = {
    "unauthorised": 401,
    "forbidden": 403,
    "second_person_needed": 403,
    "edit_off": 403,
    "edit_unknown": 404,
    "edit_not_waiting": 409,
    "edit_waiting": 409,
    "edit_too_late": 409,
    "edit_conflict": 409,
    "document_unknown": 404,
    "thread_unknown": 404,
    "finding_unknown": 404,
    "letter_unknown": 404,
    "job_unknown": 404,
    "nothing_matched": 404,
    "nothing_chosen": 404,
    "payload_missing": 404,
    "letter_not_open": 409,
    "already_queued": 409,
    "too_many": 409,
    "job_ended": 409,
    "job_not_waiting": 409,
}
_STARTING = b'{"error":{"code":"starting","where":"","detail":"the hub is not ready yet"}}'


def http_app(routers: Sequence[APIRouter]) -> FastAPI:
    """Return the application with these routes; no error of ours becomes a bare 500."""
    app = FastAPI(title="crossdock", version="1", docs_url="/docs", redoc_url=None)
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(DBAPIError, _ledger_error)
    app.add_exception_handler(Exception, _unexpected)
    return app


async def _hub_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HubError):
        raise TypeError("expected a HubError")
    answer = refusal(error)
    answer.status_code = _STATUS.get(error.code, answer.status_code)
    return answer


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    """Name the first parameter that cannot be used, without its value."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    where = ".".join(str(part) for part in problems[0]["loc"]) if problems else ""
    return _answer(422, "request_invalid", where, "expected another value; see /openapi.json")


async def _no_route(_request: Request, error: Exception) -> JSONResponse:
    """Answer a path or a method that is not there in the shape of all other refusals."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    codes = {404: "path_unknown", 405: "method_not_allowed", 413: "body_too_large"}
    code = codes.get(status, "request_refused")
    answer = _answer(status, code, "", "see /openapi.json")
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)  # Allow (RFC 9110 section 15.5.6)
    return answer


async def _ledger_error(request: Request, error: Exception) -> JSONResponse:
    """Tell a value that no column can hold (U+0000) from a ledger that is away."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if str(getattr(cause, "sqlstate", "")).startswith(_DATA_EXCEPTION):
        return _answer(400, "value_invalid", "", "the ledger can hold no such value")
    return await _unexpected(request, error)


def _answer(status: int, code: str, where: str, detail: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "where": where, "detail": detail}}, status)


async def _unexpected(_request: Request, error: Exception) -> JSONResponse:
    """Answer a fault of ours: the caller may come again, and hears nothing of the inside."""
    log = structlog.get_logger("hub.api")
    log.error("request_failed", exc_info=error)
    answer = {"error": {"code": "internal_error", "where": "", "detail": "try again later"}}
    return JSONResponse(answer, status_code=503, headers={"Retry-After": "5"})


class Switch:
    """An ASGI application that can be exchanged: first "starting", then the hub itself."""

    def __init__(self) -> None:
        self._app: ASGIApp = _starting

    def show(self, app: ASGIApp) -> None:
        """Let `app` answer from now on."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the call to the application of the moment."""
        await self._app(scope, receive, send)


async def _starting(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    alive = scope["path"] == "/healthz"
    headers = [(b"content-type", b"application/json"), (b"retry-after", b"5")]
    status = 200 if alive else 503
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = b'{"status":"starting"}' if alive else _STARTING
    await send({"type": "http.response.body", "body": body})
