"""ASGI middleware: a request id for every request, an access log line, metrics, and a limit on bodies."""

from __future__ import annotations

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicekit import logs
from servicekit.metrics import REQUESTS, SECONDS
from servicekit.problems import Problem

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
log = logging.getLogger("access")


def request_id_for(headers: Headers) -> str:
    """The caller's X-Request-Id where it is well-formed, else a new one."""
    given = headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


class Observe:
    """Outermost: whatever happens inside is answered, logged and counted."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self.app = app
        self.service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        request_id = request_id_for(Headers(scope=scope))
        token = logs.request_id.set(request_id)
        begun = time.perf_counter()
        status = 0

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = request_id
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        except Exception:
            logging.getLogger(__name__).exception("request failed")
            if status or scope["type"] == "websocket":
                raise  # too late for an answer: the server cuts the connection
            answer = Problem(500, "The service failed on this request; its log says why, under this request_id.")
            await answer.response()(scope, receive, send_observed)
        finally:
            self.record(scope, status, time.perf_counter() - begun)
            logs.request_id.reset(token)

    def record(self, scope: Scope, status: int, seconds: float) -> None:
        """Write the access log line and count the request."""
        method = scope.get("method", "WEBSOCKET")
        route = getattr(scope.get("route"), "path", "none")  # the pattern: paths hold ids, labels must not
        label = method if method in METHODS else "OTHER"
        REQUESTS.labels(self.service, label, route, status).inc()
        if method != "WEBSOCKET":
            SECONDS.labels(self.service, label, route).observe(seconds)
        level = logging.DEBUG if scope["path"] in QUIET else logging.INFO
        fields = {"status": status, "duration_ms": round(seconds * 1000, 1), "tenant": tenant(scope)}
        log.log(level, "%s %s", method, scope["path"], extra=fields)


def tenant(scope: Scope) -> str:
    """The tenant that the gateway named, for the log."""
    return Headers(scope=scope).get("x-tenant-id", "")


DISCARDED_BYTES = 1024 * 1024


class LimitBody:
    """Refuses a request body over the limit as soon as that is known, from its length or while it arrives.

    A client that sends before it reads would meet a reset instead of the answer, so a moderate rest is read first.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "0")
        received = int(announced) if announced.isdigit() and int(announced) > self.max_bytes else 0
        waits_for_leave = "expect" in headers  # a client that sends nothing until it may

        async def receive_limited() -> Message:
            nonlocal received
            # Checked before reading: raised where the handler reads, so that it becomes an ordinary problem answer.
            message = await receive() if received <= self.max_bytes else {"more_body": not waits_for_leave}
            body: bytes = message.get("body", b"")
            received += len(body)
            if received > self.max_bytes:
                await discard(receive, message)
                raise Problem(413, f"The body is larger than {self.max_bytes} bytes.", headers={"Connection": "close"})
            return message

        await self.app(scope, receive_limited, send)


async def discard(receive: Receive, message: Message) -> None:
    """Read what follows `message` of a body, up to DISCARDED_BYTES."""
    left = DISCARDED_BYTES
    while message.get("more_body", False) and left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
