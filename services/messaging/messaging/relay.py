"""Every message that was written gets to Kafka, at least once.

The replica that wrote a message publishes it at once, in the order of writing, and then marks it published. What a
crash leaves unmarked is found by a sweep, which one replica at a time does under a lease. The lease only saves work:
two sweeps at once would publish duplicates, which consumers ignore by id. After a crash an older message may
therefore follow a younger one of its conversation; never otherwise within one replica.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from servicekit.background import pause

from messaging.store import Document, Store

Publish = Callable[[Sequence[Document]], Awaitable[None]]
# Of the largest messages, what the producer holds at once; and few enough for a slow disk to mark within MongoDB's time
# limit, one write each.
BATCH = 32
# Beyond this many, messages wait in MongoDB for the sweep instead of in memory.
MAX_WAITING = 2000
LEASE_S = 5.0
log = logging.getLogger(__name__)


class Relay:
    """Publishes offered and left-over messages; `connect` opens a way to publish, anew after each failure."""

    def __init__(
        self,
        store: Store,
        connect: Callable[[], AbstractAsyncContextManager[Publish]],
        owner: str,
        *,
        grace_s: float,
        max_pause_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._connect = connect
        self._owner = owner
        self._grace_s = grace_s
        self._pause_s = grace_s / 2
        self._max_pause_s = max_pause_s
        self._clock = clock
        self._waiting: deque[Document] = deque()
        self._unmarked: list[str] = []
        self._woken = asyncio.Event()
        self._next_sweep = clock()

    def offer(self, message: Document) -> None:
        """Publish this message, just written, as soon as may be."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(message)
            self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop` is set and nothing waits; raises when a backend fails, and may then be called again."""
        waker = asyncio.create_task(self._wake_at(stop))
        try:
            async with self._connect() as publish:
                while not stop.is_set():
                    await self._work(publish)
                    if self._clock() >= self._next_sweep:
                        await self._sweep(publish)
                    await pause(self._woken, max(0.0, self._next_sweep - self._clock()))
                await self._work(publish)
        except Exception:
            # The writers publish what they hold first; a sweep at once would only double it.
            self._pause_s = self._grace_s
            self._next_sweep = self._clock() + self._pause_s
            raise
        finally:
            waker.cancel()

    async def _wake_at(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._woken.set()

    async def _work(self, publish: Publish) -> None:
        self._woken.clear()
        await self._mark()
        while self._waiting:
            batch = [self._waiting[index] for index in range(min(BATCH, len(self._waiting)))]
            await publish(batch)
            for message in batch:
                self._waiting.popleft()
                self._unmarked.append(message["_id"])
            await self._mark()

    async def _mark(self) -> None:
        # Kept until MongoDB has it, so that an outage of MongoDB does not publish again what is on Kafka already.
        if self._unmarked:
            await self._store.mark_published(self._unmarked)
            self._unmarked.clear()

    async def _sweep(self, publish: Publish) -> None:
        left_over = []
        if await self._store.take_lease("relay", self._owner, LEASE_S):
            left_over = await self._store.unpublished(self._grace_s, BATCH)
            # Crashes are rare and come with a restart, so look often after one and seldom otherwise.
            self._pause_s = self._grace_s if left_over else min(2 * self._pause_s, self._max_pause_s)
        if left_over:
            log.info("publishing %d messages that were left behind", len(left_over))
            await publish(left_over)
            self._unmarked.extend(message["_id"] for message in left_over)
            await self._mark()
        self._next_sweep = self._clock() + (0 if len(left_over) == BATCH else self._pause_s)
