"""The end of WebSockets whose client has stopped to read."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class CutOff:
    """Aborts a WebSocket's connection that is still there `after_s` after its handler returned; outermost middleware.

    uvicorn closes such a connection only once all that was written has been read, which may be never; until then it
    holds its buffer, and the server's shutdown.
    """

    def __init__(self, app: ASGIApp, after_s: float = 5.0) -> None:
        self.app = app
        self.after_s = after_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        try:
            await self.app(scope, receive, send)
        finally:
            # `send` is a method of uvicorn's protocol; another server's has no transport, and is left alone.
            transport = getattr(getattr(send, "__self__", None), "transport", None)
            if scope["type"] == "websocket" and transport is not None:
                asyncio.get_running_loop().call_later(self.after_s, transport.abort)
