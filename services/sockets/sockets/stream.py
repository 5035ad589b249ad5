"""The WebSocket `/v1/stream`: frames from the hub to one client, until either has had enough."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import Counter
from servicekit.problems import Problem, deny
from servicekit.tenant import tenant_of
from starlette.websockets import WebSocket, WebSocketDisconnect

from sockets.feed import Feed
from sockets.hub import DROPPED, Conversation, Hub, Subscriber
from sockets.presence import Presence

SENT = Counter("sockets_frames_sent_total", "Frames sent to clients.")
POLICY, TRY_LATER = 1008, 1013
CONVERSATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# uvicorn says RuntimeError to a `send` that comes after it has closed by itself, as at a ping without answer.
GONE = (WebSocketDisconnect, RuntimeError)
READY = '{"type": "ready"}'


@dataclass(frozen=True)
class Stream:
    """Serves WebSockets from what the hub collects for them."""

    hub: Hub
    feed: Feed
    presence: Presence
    max_clients: int
    max_conversations: int

    async def serve(self, websocket: WebSocket) -> None:
        """One WebSocket, from its request to its close; a refusal is an ordinary HTTP answer."""
        try:
            wanted = self._wanted(websocket)
        except Problem as problem:
            await deny(websocket, problem.response())
            return
        subscriber = self.hub.join(wanted)
        try:
            await websocket.accept()
            await self.presence.enter({conversation: [subscriber.id] for conversation in wanted})
            await self._exchange(websocket, subscriber)
        except GONE:
            pass
        finally:
            self.hub.leave(subscriber)
            await self.presence.leave(wanted, subscriber.id)

    def _wanted(self, websocket: WebSocket) -> frozenset[Conversation]:
        """The conversations asked for; raises a 400 or 503 `Problem`."""
        tenant_id = tenant_of(websocket)
        ids = set(websocket.query_params.getlist("conversation_id"))
        if not ids or len(ids) > self.max_conversations:
            raise Problem(400, f"Name 1 to {self.max_conversations} conversations: ?conversation_id=..., repeated.")
        if not all(map(CONVERSATION_ID.fullmatch, ids)):
            raise Problem(400, "A conversation_id is 1 to 64 letters, digits, '-' or '_'.")
        if not self.feed.is_assigned or self.hub.count >= self.max_clients:
            raise Problem(503, "No more streams can be opened here now; try again.", headers={"Retry-After": "1"})
        return frozenset(Conversation(tenant_id, id) for id in ids)

    async def _exchange(self, websocket: WebSocket, subscriber: Subscriber) -> None:
        """Send what there is until the client goes, talks or falls behind."""
        sending = asyncio.create_task(_send(websocket, subscriber))
        watching = asyncio.create_task(_watch(websocket))
        falling_behind = asyncio.create_task(subscriber.too_slow.wait())
        tasks = (sending, watching, falling_behind)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            sent, talked, _ = await asyncio.gather(*tasks, return_exceptions=True)
        if subscriber.too_slow.is_set():
            DROPPED.inc()
            await _close(websocket, TRY_LATER, "read faster, and ask the REST API for what was missed")
        elif talked is True:
            await _close(websocket, POLICY, "this stream takes no messages; use POST /v1/messages")
        elif isinstance(sent, Exception):
            raise sent


async def _send(websocket: WebSocket, subscriber: Subscriber) -> None:
    # Whoever sees this frame sees every message that is published from now on.
    await websocket.send_text(READY)
    while True:
        await websocket.send_text(await subscriber.next_frame())
        SENT.inc()


async def _watch(websocket: WebSocket) -> bool:
    """Wait for the client to go (False) or to talk (True); pings and pongs are the server's business."""
    message = await websocket.receive()
    return bool(message["type"] == "websocket.receive")


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    """Say why, for as long as the client is willing to read; the connection is cut off after that."""
    with suppress(TimeoutError, *GONE):
        async with asyncio.timeout(1):
            await websocket.close(code, reason)
