"""Whether new code answers, asked before it gets any traffic."""

from __future__ import annotations

import asyncio
import http.client
from typing import Any
from urllib.parse import urlsplit

from .traffic import Application, Message


def wait_until_ready(lifespan: Any, application: Application, url: str) -> None:
    """Make the application's start-up last until it answers the URL's path without an error."""
    start_up = lifespan.startup

    async def startup() -> None:
        await start_up()
        delay_s = 0.01
        while not lifespan.should_exit and await _ask(application, lifespan.state, url) >= 400:
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, 0.5)

    lifespan.startup = startup


async def _ask(application: Application, state: dict[str, Any], url: str) -> int:
    status = 500
    parts = urlsplit(url)
    scope: Message = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": parts.path or "/", "raw_path": (parts.path or "/").encode(), "root_path": "",
        "query_string": parts.query.encode(), "headers": [(b"host", b"localhost")],
        "client": None, "server": None, "state": dict(state),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    try:
        await application(scope, receive, send)
    except Exception:
        return 500
    return status


def answers(url: str) -> bool:
    """Whether a URL is answered without an error right now."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=0.5)
    try:
        connection.request("GET", f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        return connection.getresponse().status < 400
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()
