"""An aiokafka admin client that can be called from any test, synchronous or not: it has a loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from threading import Thread
from typing import Any

TIMEOUT_S = 15


class Admin:
    """The client that `make` gives, started at the first call."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._client: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="devenv-kafka", daemon=True)
        self._thread.start()

    def call(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        """Run `work(client)` to its end; raises TimeoutError after TIMEOUT_S."""
        return self._run(self._call(work))

    def close(self) -> None:
        """Close the client and end the loop."""
        try:
            if self._client is not None:
                self._run(self._client.close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _call(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        if self._client is None:
            client = self._make(request_timeout_ms=TIMEOUT_S * 1000)
            try:
                await client.start()
            except BaseException:
                await client.close()
                raise
            self._client = client
        return await work(self._client)

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, TIMEOUT_S), self._loop).result()
