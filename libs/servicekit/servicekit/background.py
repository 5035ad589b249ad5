"""Work beside the requests that must not end because one round of it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from servicekit.metrics import FAILURES

log = logging.getLogger(__name__)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, or return at once when `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def keep_running(
    name: str, work: Callable[[asyncio.Event], Awaitable[None]], stop: asyncio.Event, *, max_backoff_s: float = 5.0
) -> None:
    """Call `work(stop)` until `stop` is set; a failure is logged and tried again after a growing pause."""
    backoff_s = 0.1
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        begun = loop.time()
        try:
            await work(stop)
        except Exception as error:
            FAILURES.labels(name).inc()
            backoff_s = 0.1 if loop.time() - begun > 2 * max_backoff_s else backoff_s
            log.warning("%s failed, again in %.1f s: %s: %s", name, backoff_s, type(error).__name__, error,
                        exc_info=log.isEnabledFor(logging.DEBUG))  # fmt: skip
            await pause(stop, backoff_s)
            backoff_s = min(2 * backoff_s, max_backoff_s)


@asynccontextmanager
async def background(
    name: str, work: Callable[[asyncio.Event], Awaitable[None]], *, stop_timeout_s: float = 5.0
) -> AsyncIterator[None]:
    """Keep `work` running beside the body; afterwards ask it to stop, wait, and cut it off after `stop_timeout_s`."""
    stop = asyncio.Event()
    task = asyncio.create_task(keep_running(name, work, stop), name=name)
    try:
        yield
    finally:
        stop.set()
        done, _ = await asyncio.wait({task}, timeout=stop_timeout_s)
        if not done:
            log.warning("%s did not stop within %g s and was cut off", name, stop_timeout_s)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
