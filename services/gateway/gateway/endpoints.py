"""The routing table as ASGI routes."""

from __future__ import annotations

from functools import partial

from servicekit.problems import Problem
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.routing import Route as Endpoint
from starlette.websockets import WebSocket

from gateway.index import index
from gateway.routes import ROUTES, STREAM, Route


async def relay(route: Route, request: Request) -> Response:
    """A request for an upstream: admitted first, then forwarded."""
    state = request.app.state
    key = await state.admission.admit(request)
    answer: Response = await state.proxy.forward(request, route, key)
    return answer


async def stream(websocket: WebSocket) -> None:
    """The WebSocket."""
    await websocket.app.state.streams.serve(websocket)


async def stream_without_upgrade(request: Request) -> Response:
    """A plain GET where a WebSocket is served."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    raise Problem(426, f"{STREAM.path} is a WebSocket; connect with wss:// or ws://.", headers=headers)


ENDPOINTS: list[BaseRoute] = [
    Endpoint("/", index),
    *(Endpoint(route.path, partial(relay, route), methods=list(route.methods)) for route in ROUTES),
    WebSocketRoute(STREAM.path, stream),
    Endpoint(STREAM.path, stream_without_upgrade),
]
