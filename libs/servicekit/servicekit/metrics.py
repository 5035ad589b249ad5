"""Prometheus metrics that every service has."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

REQUESTS = Counter("http_requests_total", "Requests answered.", ["service", "method", "route", "status"])
SECONDS = Histogram("http_request_duration_seconds", "Time to answer a request.", ["service", "method", "route"])
FAILURES = Counter("background_failures_total", "Failed rounds of background work.", ["work"])


async def metrics(request: Request) -> Response:
    """GET /metrics."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
