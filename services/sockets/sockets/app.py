"""The service as an ASGI app: what it opens, and what it answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from redis.exceptions import RedisError
from servicekit import kafka, redis
from servicekit.app import create_app
from servicekit.background import background
from servicekit.cutoff import CutOff
from servicekit.events import MESSAGE_CREATED
from servicekit.readiness import Check
from servicekit.tenant import tenant_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from sockets.delivery import Delivery
from sockets.feed import Feed
from sockets.hub import Conversation, Hub
from sockets.presence import Presence
from sockets.recent import Recent
from sockets.settings import Settings
from sockets.stream import Stream


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Check]]:
    """Open the clients, then the feed; the server has closed every WebSocket (1012) before this ends."""
    settings = Settings.load()
    async with redis.connected(settings, "sockets") as client:
        hub = Hub(settings.queue_bytes)
        presence = Presence(
            client,
            time.time,
            prefix=settings.redis_key_prefix,
            ttl_s=settings.presence_ttl_s,
            timeout_s=settings.redis_timeout_s,
        )
        feed = Feed(
            partial(kafka.consumer, settings, "sockets", group=None),
            settings.topic(MESSAGE_CREATED),
            Delivery(hub, Recent(settings.recent_messages)),
        )
        app.state.presence = presence
        app.state.stream = Stream(hub, feed, presence, settings.max_clients, settings.max_conversations)
        async with (
            background("feed", feed.run),
            background("presence", partial(presence.refresh, hub.online)),
        ):
            yield {"kafka": feed.check, "redis": client.ping}


async def show_presence(request: Request) -> JSONResponse:
    """GET /v1/conversations/{id}/presence: how many listen, on all replicas."""
    conversation = Conversation(tenant_of(request), request.path_params["id"])
    return JSONResponse({"online": await request.app.state.presence.count(conversation)})


async def stream(websocket: WebSocket) -> None:
    """The WebSocket."""
    await websocket.app.state.stream.serve(websocket)


ROUTES: list[BaseRoute] = [
    Route("/v1/conversations/{id}/presence", show_presence),
    WebSocketRoute("/v1/stream", stream),
]
OUTAGES = dict.fromkeys((RedisError, TimeoutError), "Redis")
app = create_app("sockets", ROUTES, lifespan, outages=OUTAGES)
app.add_middleware(CutOff)
