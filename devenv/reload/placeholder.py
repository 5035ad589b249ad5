"""What is served while there is no code that starts: the reason, as a 503, instead of a silent wait."""

from __future__ import annotations

from .traffic import Message, Receive, Send


class Placeholder:
    """An ASGI application that answers everything with one reason."""

    def __init__(self, headline: str) -> None:
        self._body = (f"The code of this service does not start: {headline}\n"
                      "It is tried again at the next edit. The service's log has the whole traceback.\n").encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1013})
            return
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"1"),
                   (b"cache-control", b"no-store"), (b"content-length", str(len(self._body)).encode())]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})
