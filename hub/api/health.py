"""Health, readiness and metrics; none of them needs a token or tells anything of a document."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from hub.telemetry.metrics import Metrics

Probe = Callable[[], Awaitable[bool]]
"""Answers whether one thing that the hub needs can be used now; may raise, may hang."""

_PROBE_SECONDS = 2.0


class Health:
    """Serves `/healthz` (the process lives), `/readyz` (it can do its work) and `/metrics`."""

    def __init__(self, probes: Mapping[str, Probe], optional: frozenset[str]) -> None:
        self._probes = probes
        self._optional = optional

    def routes(self, metrics: Metrics) -> APIRouter:
        """Return the FastAPI routes."""
        router = APIRouter(tags=["health"])

        @router.get("/healthz", summary="Whether the process lives")
        async def healthz() -> JSONResponse:
            return JSONResponse({"status": "ok"})

        @router.get("/readyz", summary="Whether everything that the hub needs can be used")
        async def readyz() -> JSONResponse:
            checks = await self.check()
            ready = all(ok for name, ok in checks.items() if name not in self._optional)
            words = {name: "ok" if ok else "down" for name, ok in checks.items()}
            body = {"status": "ready" if ready else "not ready", "checks": words}
            return JSONResponse(body, status_code=200 if ready else 503)

        @router.get("/metrics", summary="Prometheus metrics")
        async def exposition() -> Response:
            return Response(metrics.text(), media_type="text/plain; version=0.0.4")

        return router

    async def check(self) -> dict[str, bool]:
        """Run all probes at once, each with a deadline."""
        results = await asyncio.gather(*(_safely(probe) for probe in self._probes.values()))
        return dict(zip(self._probes, results, strict=True))


async def _safely(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            return await probe()
    except Exception:
        return False
