"""Webhooks: `POST /in/<connection>`. A yes means stored; a no is precise and never a 500.

Nobody is believed before the body is read, so strangers must not be able to make us hold much of
it: an unknown connection and a call without a signature are refused before the first byte, a body
has so many seconds to arrive, and all bodies together have a budget.

Codes of this module; the connector's `Webhook` and `connectors/transports/body.py` add theirs:

============================  ===================================================================
``signature_invalid``         unknown connection: the answer to a forged call, names are not told
``body_too_slow``             the body took longer than 20 s to arrive
``body_incomplete``           the caller went away before the end of the body
``body_empty``                a genuine call without a body
``content_type_unsupported``  not JSON in UTF-8
``bodies_full``               `Retryable`: the bodies in memory have used up the budget
============================  ===================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from canonical.errors import HubError, Rejected, Retryable
from connectors.base import Receipt, Verified, Webhook, WebhookCall
from connectors.transports.body import read_capped
from hub.ids import new_id
from hub.intake.budget import Budget, Share
from hub.intake.door import Accepted, Door
from hub.settings.model import Http

_STATUS = {
    "body_too_large": 413,
    "body_too_slow": 408,
    "encoding_unsupported": 415,
    "content_type_unsupported": 415,
    "signature_missing": 401,
    "signature_invalid": 401,
    "timestamp_outside_window": 401,
    "connection_unknown": 401,
}
_BAD_REQUEST = 400
_UNAVAILABLE = 503
_RETRY_AFTER_SECONDS = 5.0
_BODY_SECONDS = 20.0
_BUDGET_BYTES = 128 * 1024**2


class WebhookIntake:
    """Takes webhook calls in for the connections that have a verifier."""

    def __init__(self, door: Door, webhooks: Mapping[str, Webhook], http: Http) -> None:
        self._door = door
        self._webhooks = webhooks
        self._http = http
        # At least one body of the largest kind must fit, whatever the caps are set to.
        self.budget = Budget(max(_BUDGET_BYTES, http.max_body + http.max_decompressed))

    def routes(self) -> APIRouter:
        """Return the FastAPI routes."""
        router = APIRouter(tags=["intake"])
        router.add_api_route(
            "/in/{connection}",
            self.receive,
            methods=["POST"],
            summary="Take in a signed webhook call of a connection",
            response_class=JSONResponse,
        )
        return router

    async def receive(self, connection: str, request: Request) -> JSONResponse:
        """Store the call durably; 200 once it is, 4xx with a code if never, 503 if not now."""
        known = connection if connection in self._webhooks else "unknown"
        try:
            with self._door.tracing.intake(known) as carrier:
                accepted = await self._accept(connection, request, carrier)
        except HubError as error:
            self._door.refused(known, error)
            return refusal(error)
        return JSONResponse({"receipt": accepted.receipt_id, "duplicate": accepted.duplicate})

    async def _accept(
        self, connection: str, request: Request, carrier: Mapping[str, str]
    ) -> Accepted:
        webhook = self._webhooks.get(connection)
        if webhook is None:  # the same answer as to a forged call: names are not to be guessed
            raise Rejected("signature_invalid", "", "the call is not signed as agreed")
        headers = {name.decode("latin-1").lower(): value for name, value in request.headers.raw}
        _refuse_unsigned(webhook, headers, self._door.clock.now())
        with self.budget.share() as share:
            body = await self._read(request, share)
            call = WebhookCall(headers, body, self._door.clock.now())
            return await self._take_in(connection, call, webhook.verify(call), carrier)

    async def _read(self, request: Request, share: Share) -> bytes:
        http = self._http
        encoding = request.headers.get("content-encoding", "")
        if encoding.strip().lower() not in ("", "identity"):
            share.take(http.max_decompressed)  # what it will be is not known before
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                chunks = share.counted(request.stream())
                return await read_capped(chunks, encoding, http.max_body, http.max_decompressed)
        except TimeoutError:
            detail = f"expected the body within {_BODY_SECONDS:.0f} seconds"
            raise Rejected("body_too_slow", "", detail) from None
        except ClientDisconnect:
            raise Rejected("body_incomplete", "", "the caller went away") from None

    async def _take_in(
        self, connection: str, call: WebhookCall, verified: Verified, carrier: Mapping[str, str]
    ) -> Accepted:
        body, now = call.body, call.now
        if not body:
            raise Rejected("body_empty", "", "expected a body")
        receipt = Receipt(
            id=new_id(int(now.timestamp() * 1000)),
            connection=connection,
            delivery_id=verified.delivery_id,
            received_at=now,
            body=body,
            flow=verified.flow,
            content_type=_json_type(call.headers.get("content-type", b"").decode("latin-1")),
            facts=dict(carrier),
        )
        return await self._door.accept_call(receipt)


def _refuse_unsigned(webhook: Webhook, headers: Mapping[str, bytes], now: datetime) -> None:
    """Refuse a call without any signature; whether a signature is genuine needs the body.

    Raises:
        Rejected: ``signature_missing``.
    """
    try:
        webhook.verify(WebhookCall(headers, b"", now))
    except Rejected as error:
        if error.code == "signature_missing":
            raise


def _json_type(content_type: str) -> str:
    """Return the media type if it is JSON.

    Raises:
        Rejected: ``content_type_unsupported``; a charset other than UTF-8 is one too
            (RFC 8259 section 8.1).
    """
    media, _, parameters = content_type.partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"').lower()
    if media.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise Rejected(
            "content_type_unsupported", "content-type", "expected application/json in UTF-8"
        )
    return "application/json"


def refusal(error: HubError) -> JSONResponse:
    """Return the HTTP answer to an error: code, place and words, nothing of the payload."""
    answer = {"error": {"code": error.code, "where": error.where, "detail": error.detail}}
    if isinstance(error, Retryable):
        seconds = error.retry_after or _RETRY_AFTER_SECONDS
        return JSONResponse(
            answer, status_code=_UNAVAILABLE, headers={"Retry-After": str(round(seconds))}
        )
    return JSONResponse(answer, status_code=_STATUS.get(error.code, _BAD_REQUEST))
