"""What the services' tests share: an app behind a real uvicorn on this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp


@dataclass(frozen=True)
class Served:
    """An app that listens on 127.0.0.1."""

    port: int
    server: uvicorn.Server
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """What SIGTERM does."""
        self.server.should_exit = True
        await self.task


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Served]]]:
    """Run an app until the test ends, or its `stop()`; options are uvicorn's."""
    running: list[Served] = []

    async def start(app: ASGIApp, port: int = 0, **options: Any) -> Served:
        listener = socket.create_server(("127.0.0.1", port))
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5, **options)
        server = uvicorn.Server(config)
        served = Served(listener.getsockname()[1], server, asyncio.create_task(server.serve([listener])))
        running.append(served)
        while not server.started:
            await asyncio.sleep(0.005)
        return served

    yield start
    await asyncio.gather(*(served.stop() for served in running))
