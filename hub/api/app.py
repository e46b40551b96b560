"""The hub's HTTP application, and what answers while the hub is still starting."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from canonical.errors import HubError
from hub.intake.http import refusal

_STATUS = {"unauthorised": 401, "document_unknown": 404, "thread_unknown": 404}
_STARTING = b'{"error":{"code":"starting","where":"","detail":"the hub is not ready yet"}}'


def http_app(routers: Sequence[APIRouter]) -> FastAPI:
    """Return the application with these routes; no error of ours becomes a bare 500."""
    app = FastAPI(title="crossdock", version="1", docs_url="/docs", redoc_url=None)
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(HubError, _hub_error)
    app.add_exception_handler(Exception, _unexpected)
    return app


async def _hub_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HubError):
        raise TypeError("expected a HubError")
    answer = refusal(error)
    answer.status_code = _STATUS.get(error.code, answer.status_code)
    return answer


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
