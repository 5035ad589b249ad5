"""The ASGI frame of a service: operational routes, errors, middleware, and an ordered start and stop."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from servicekit import logs
from servicekit.metrics import metrics
from servicekit.observe import LimitBody, Observe
from servicekit.problems import Problem, on_http_exception, on_problem
from servicekit.readiness import Check, Readiness

# Opens what the service needs, puts it on `app.state`, yields the readiness checks, and closes in reverse order.
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[Mapping[str, Check]]]
log = logging.getLogger(__name__)


def create_app(
    name: str,
    routes: Sequence[BaseRoute],
    lifespan: Lifespan,
    *,
    outages: Mapping[type[Exception], str] | None = None,
    max_body_bytes: int = 64 * 1024,
) -> Starlette:
    """A service's app; `outages` names the backend behind an exception, which is then answered with 503."""
    logs.configure(name)
    readiness = Readiness()

    @asynccontextmanager
    async def run(app: Starlette) -> AsyncIterator[None]:
        async with lifespan(app) as checks:
            readiness.checks = checks
            log.info("started")
            yield
            log.info("stopping")
        log.info("stopped")

    operational = [
        Route("/healthz", healthz),
        Route("/readyz", readiness.readyz),
        Route("/metrics", metrics),
    ]
    unavailable = {kind: on_outage(backend) for kind, backend in (outages or {}).items()}
    return Starlette(
        routes=[*operational, *routes],
        lifespan=run,
        middleware=[Middleware(Observe, service=name), Middleware(LimitBody, max_bytes=max_body_bytes)],
        exception_handlers={Problem: on_problem, HTTPException: on_http_exception, **unavailable},
    )


async def healthz(request: Request) -> JSONResponse:
    """GET /healthz: the process answers; no backend is asked."""
    return JSONResponse({"alive": True})


def on_outage(backend: str) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    """A handler that answers 503 because `backend` did not do its part."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        log.warning("%s failed: %s: %s", backend, type(error).__name__, error)
        return Problem(503, f"{backend} is not available; try again.", headers={"Retry-After": "1"}).response()

    return handle
