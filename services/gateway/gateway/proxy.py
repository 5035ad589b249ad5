"""HTTP to the services: one request in, one out, the answer streamed back."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

import httpx
from prometheus_client import Counter, Histogram
from servicekit import logs
from servicekit.problems import Problem
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway import headers
from gateway.admission import TENANT
from gateway.keys import Key
from gateway.routes import IDEMPOTENCY_KEY, Route
from gateway.settings import Settings

SECONDS = Histogram("gateway_upstream_seconds", "Time until an upstream began to answer.", ["upstream"])
FAILURES = Counter("gateway_upstream_failures_total", "Requests that an upstream did not answer.", ["upstream", "kind"])
RETRIES = Counter("gateway_upstream_retries_total", "Requests that were sent a second time.", ["upstream"])
# The upstream closed the connection before it answered; whether it got the request is unknown.
CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError)
QUERY_SAFE = bytes(set(range(0x21, 0x7F)) - set(b"#"))
log = logging.getLogger(__name__)


class Answer(StreamingResponse):
    """An upstream's answer on its way to the client; its connection is given back whatever happens."""

    def __init__(self, upstream: httpx.Response) -> None:
        super().__init__(upstream.aiter_raw(), upstream.status_code)
        self.raw_headers = headers.to_client(upstream.headers.raw)
        self._upstream = upstream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._upstream.aclose()


def pool(url: str, settings: Settings) -> httpx.AsyncClient:
    """The connections to one upstream."""
    return httpx.AsyncClient(
        base_url=url,
        timeout=httpx.Timeout(settings.upstream_timeout_s, connect=settings.connect_timeout_s, pool=1),
        # Idle connections go before uvicorn closes them (5 s), so that a request and that close seldom cross.
        limits=httpx.Limits(max_connections=settings.max_connections, keepalive_expiry=3),
        trust_env=False,
        verify=_trust(url),
    )


def _trust(url: str) -> ssl.SSLContext | bool:
    """The usual CAs for HTTPS; plain HTTP needs none, and reading them takes tens of milliseconds a client."""
    return True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass(frozen=True)
class Proxy:
    """Sends requests to the upstream that a route names; each has its own pool, so that one cannot starve another."""

    clients: Mapping[str, httpx.AsyncClient]
    retry_pause_s: float
    body_timeout_s: float

    async def forward(self, request: Request, route: Route, key: Key) -> Answer:
        """The upstream's answer; raises a 502, 503 or 504 `Problem` where there is none."""
        body = await self._read(request)
        passed = MutableHeaders(raw=headers.to_upstream(request.headers.raw))
        passed[TENANT] = key.tenant_id
        passed["x-request-id"] = logs.request_id.get()
        if request.method in route.keyed:
            passed.setdefault(IDEMPOTENCY_KEY, uuid4().hex)
        client = self.clients[route.upstream]
        # The path holds only what the route's pattern lets through, so it needs no encoding.
        target = client.base_url.raw_path.rstrip(b"/") + request.scope["path"].encode() + query_of(request)
        outgoing = httpx.Request(
            request.method, client.base_url.copy_with(raw_path=target), headers=passed.raw, content=body or None,
            extensions={"timeout": client.timeout.as_dict()},
        )  # fmt: skip
        begun = time.perf_counter()
        answer = await self._send(client, route, outgoing, route.may_repeat(request.method, passed))
        SECONDS.labels(route.upstream).observe(time.perf_counter() - begun)
        return Answer(answer)

    async def _read(self, request: Request) -> bytes:
        """The whole body, which the frame limits: it may have to be sent twice, and a slow client holds no upstream."""
        try:
            async with asyncio.timeout(self.body_timeout_s):
                return await request.body()
        except TimeoutError:
            raise Problem(408, "The body did not arrive in time.", headers={"Connection": "close"}) from None
        except ClientDisconnect:
            raise Problem(400, "The body ended early.") from None

    async def _send(
        self, client: httpx.AsyncClient, route: Route, outgoing: httpx.Request, may_repeat: bool
    ) -> httpx.Response:
        try:
            return await client.send(outgoing, stream=True)
        except httpx.TimeoutException as error:
            raise _no_answer(route, error) from error
        except httpx.TransportError as error:
            # A refused connection carried no request; a closed one may have, and an upstream that reloads closes some.
            if not isinstance(error, httpx.ConnectError) and not (may_repeat and isinstance(error, CLOSED)):
                raise _no_answer(route, error) from error
            log.info("%s closed or refused the connection, sending again: %s", route.upstream, error)
        RETRIES.labels(route.upstream).inc()
        await asyncio.sleep(self.retry_pause_s)
        try:
            return await client.send(outgoing, stream=True)
        except httpx.TransportError as error:
            raise _no_answer(route, error) from error


def query_of(connection: HTTPConnection) -> bytes:
    """The query with its question mark, as it came but for what a URL may not hold."""
    query = quote(connection.scope["query_string"], safe=QUERY_SAFE).encode()
    return b"?" + query if query else b""


def _no_answer(route: Route, error: httpx.TransportError) -> Problem:
    """What the client is told; nothing of an upstream's address or state."""
    FAILURES.labels(route.upstream, type(error).__name__).inc()
    log.warning("%s did not answer: %s: %s", route.upstream, type(error).__name__, error)
    match error:
        case httpx.PoolTimeout():
            return Problem(503, f"The {route.upstream} service is busy; try again.", headers={"Retry-After": "1"})
        case httpx.TimeoutException():
            return Problem(504, f"The {route.upstream} service did not answer in time.")
        case _:
            return Problem(502, f"The {route.upstream} service could not be reached; try again.",
                           headers={"Retry-After": "1"})  # fmt: skip
