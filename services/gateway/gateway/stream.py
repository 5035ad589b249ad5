"""The WebSocket `/v1/stream`: frames pass both ways between the client and `sockets`, and so do close codes."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import Gauge
from servicekit import logs
from servicekit.problems import Problem, deny
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from gateway.admission import Admission
from gateway.keys import Key
from gateway.proxy import query_of

OPEN = Gauge("gateway_streams", "WebSockets that are open.")
GOING_AWAY, RESTARTING, TRY_LATER = 1001, 1012, 1013
# RFC 6455, section 7.4.1: these tell what happened and may not be sent.
NEVER_SENT = frozenset({1004, 1005, 1006, 1015})
# uvicorn says RuntimeError to a `send` that comes after it has closed by itself, as at a ping without answer.
GONE = (WebSocketDisconnect, RuntimeError)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ending:
    """How a stream ended, as each side is told."""

    to_client: int | None  # None: it is gone already
    to_upstream: int
    reason: str = ""


@dataclass
class Streams:
    """Relays WebSockets; a frame is read only once the one before it was passed on, so little is ever held."""

    admission: Admission
    url: str
    max_streams: int
    open_timeout_s: float
    send_timeout_s: float
    max_frame_bytes: int
    count: int = 0

    async def serve(self, websocket: WebSocket) -> None:
        """One WebSocket, from its request to its close; a refusal is an ordinary HTTP answer."""
        self.count += 1
        try:
            if self.count > self.max_streams:
                raise Problem(503, "No more streams can be opened here; try again.", headers={"Retry-After": "5"})
            key = await self.admission.admit(websocket)
            upstream = await self._connect(websocket, key)
        except Problem as problem:
            await deny(websocket, problem.response())
        except InvalidStatus as refusal:
            await deny(websocket, _same(refusal))
        else:
            with OPEN.track_inprogress():
                await self._relay(websocket, upstream)
        finally:
            self.count -= 1

    async def _connect(self, websocket: WebSocket, key: Key) -> ClientConnection:
        headers = {"X-Tenant-Id": key.tenant_id, "X-Request-Id": logs.request_id.get()}
        try:
            return await connect(
                self.url + query_of(websocket).decode(), additional_headers=headers, compression=None, proxy=None,
                open_timeout=self.open_timeout_s, close_timeout=2, max_size=self.max_frame_bytes, max_queue=8,
            )  # fmt: skip
        except InvalidStatus:
            raise
        except (InvalidHandshake, OSError, TimeoutError) as error:
            log.warning("sockets did not answer: %s: %s", type(error).__name__, error)
            detail = "The sockets service could not be reached; try again."
            raise Problem(502, detail, headers={"Retry-After": "1"}) from error

    async def _relay(self, websocket: WebSocket, upstream: ClientConnection) -> None:
        offered = websocket.scope.get("subprotocols", [])
        await websocket.accept(subprotocol=offered[0] if offered else None)
        pumps = (
            asyncio.create_task(self._to_client(upstream, websocket)),
            asyncio.create_task(self._to_upstream(websocket, upstream)),
        )
        ending = Ending(None, GOING_AWAY)
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            ending = done.pop().result()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await upstream.close(ending.to_upstream, ending.reason)
        if ending.to_client is not None:
            # A client that does not read cannot be told either.
            with suppress(TimeoutError, *GONE):
                async with asyncio.timeout(1):
                    await websocket.close(ending.to_client, ending.reason)

    async def _to_client(self, upstream: ClientConnection, websocket: WebSocket) -> Ending:
        try:
            async for frame in upstream:
                async with asyncio.timeout(self.send_timeout_s):
                    await (websocket.send_text(frame) if isinstance(frame, str) else websocket.send_bytes(frame))
        except TimeoutError:
            return Ending(TRY_LATER, GOING_AWAY, "the client reads too slowly")
        except GONE:
            return Ending(None, GOING_AWAY)
        except ConnectionClosed:
            pass
        return _ended_by(upstream)

    async def _to_upstream(self, websocket: WebSocket, upstream: ClientConnection) -> Ending:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                code = message.get("code", GOING_AWAY)
                return Ending(None, GOING_AWAY if code in NEVER_SENT else code, message.get("reason") or "")
            text = message.get("text")
            try:
                await upstream.send(message["bytes"] if text is None else text)
            except ConnectionClosed:
                return _ended_by(upstream)


def _ended_by(upstream: ClientConnection) -> Ending:
    """The upstream's close code for the client; one that vanished is taken to restart."""
    code = upstream.close_code or RESTARTING
    return Ending(RESTARTING if code in NEVER_SENT else code, GOING_AWAY, upstream.close_reason or "")


def _same(refusal: InvalidStatus) -> Response:
    """The upstream's own refusal."""
    given = refusal.response
    kept = {name: given.headers[name] for name in ("Content-Type", "Retry-After") if name in given.headers}
    return Response(bytes(given.body or b""), given.status_code, kept)
