"""The requests and WebSockets of one child, seen from between the server and the application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

# RFC 6455's registry: the service is restarting, and the client may connect again.
SERVICE_RESTART = 1012


class Traffic:
    """Wraps an ASGI application; says when a response ends, and can close what would stay open for ever."""

    def __init__(self, application: Application, on_response: Callable[[], None]) -> None:
        self._application = application
        self._on_response = on_response
        self._sessions: set[Session] = set()
        # Clients are asked to take a new connection for their next request.
        self.turns_away = False
        self.closes_websockets = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._application(scope, receive, self._watched(send))
        elif scope["type"] == "websocket":
            session = Session(self, send)
            self._sessions.add(session)
            try:
                await self._application(scope, receive, session.send)
            except ClosedForReload:
                pass  # as uvicorn treats a client that has gone
            finally:
                self._sessions.discard(session)
        else:
            await self._application(scope, receive, send)

    async def close_websockets(self) -> None:
        """Close every WebSocket with 1012, and those that are still being opened as soon as they are open."""
        self.closes_websockets = True
        await asyncio.gather(*[session.close() for session in self._sessions], return_exceptions=True)

    def _watched(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and self.turns_away:
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._on_response()

        return watched


class ClosedForReload(OSError):
    """What an application gets that goes on sending; ASGI demands an OSError."""


class Session:
    """One WebSocket."""

    def __init__(self, traffic: Traffic, send: Send) -> None:
        self._traffic = traffic
        self._send = send
        self._is_accepted = False
        self._is_closed = False

    async def send(self, message: Message) -> None:
        """Pass on what the application sends; raises ClosedForReload once the WebSocket is closed."""
        if self._is_closed:
            raise ClosedForReload("this WebSocket was closed with 1012: the code behind it was reloaded")
        self._is_closed = message["type"] == "websocket.close"
        await self._send(message)
        if message["type"] == "websocket.accept":
            self._is_accepted = True
            if self._traffic.closes_websockets:
                await self.close()

    async def close(self) -> None:
        """Close it with 1012; the server tells the application, and waits for the client's answer."""
        if self._is_accepted and not self._is_closed:
            self._is_closed = True
            await self._send({"type": "websocket.close", "code": SERVICE_RESTART, "reason": "reloaded"})
