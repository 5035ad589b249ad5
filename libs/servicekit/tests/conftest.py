"""Fixtures of servicekit's tests."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette


@pytest.fixture(autouse=True)
def untouched_logging():
    """`create_app` takes over the root logger; give it back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture
def serving() -> Callable[[Starlette], AbstractAsyncContextManager[httpx.AsyncClient]]:
    """A client of an app that has been started."""

    @asynccontextmanager
    async def serve(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x") as client,
        ):
            yield client

    return serve
