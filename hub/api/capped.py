"""Routes whose request bodies are bounded: what is larger is refused before it is all read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

MOST_BYTES = 1_000_000
_TOO_LARGE = 413


class CappedRoute(APIRoute):
    """A route that reads at most `MOST_BYTES` of a body; answers 413 otherwise."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's own handler, behind the bound."""
        handler = super().get_route_handler()

        async def capped(request: Request) -> Response:
            declared = request.headers.get("content-length", "")
            if declared.isdecimal() and int(declared[:12]) > MOST_BYTES:
                raise HTTPException(_TOO_LARGE)
            return await handler(Request(request.scope, _counted(request.receive)))

        return capped


def _counted(receive: Receive) -> Receive:
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MOST_BYTES:
            raise HTTPException(_TOO_LARGE)
        return message

    return counting
