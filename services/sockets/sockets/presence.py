"""Who is online in a conversation, over all replicas: a sorted set each, scored by when an entry expires.

A replica that dies leaves entries that expire by their score; one that loses Redis writes everything again at its
next refresh. So a stream never waits for Redis for long, and never fails with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.exceptions import RedisError
from servicekit.background import pause

from sockets.hub import Conversation

FAILURES = Counter("sockets_presence_failures_total", "Writes of presence that Redis did not take.")
log = logging.getLogger(__name__)
BATCH = 500  # conversations a round trip


class Presence:
    """Reads and writes presence; an entry lives for `ttl_s` unless it is written again."""

    def __init__(
        self, redis: Redis, clock: Callable[[], float], *, prefix: str, ttl_s: float, timeout_s: float
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._timeout_s = timeout_s
        self._failing = False

    async def enter(self, online: Mapping[Conversation, Iterable[str]]) -> None:
        """Say who is online, anew or again, and forget who has expired."""
        entries = list(online.items())
        now = self._clock()
        for start in range(0, len(entries), BATCH):
            pipeline = self._redis.pipeline(transaction=False)
            for conversation, members in entries[start : start + BATCH]:
                key = self._key(conversation)
                pipeline.zadd(key, {member: now + self._ttl_s for member in members})
                pipeline.zremrangebyscore(key, "-inf", now)
                pipeline.expire(key, int(self._ttl_s * 2))
            await self._write(pipeline.execute)

    async def leave(self, conversations: Iterable[Conversation], member: str) -> None:
        """Say that `member` went away."""
        pipeline = self._redis.pipeline(transaction=False)
        for conversation in conversations:
            pipeline.zrem(self._key(conversation), member)
        await self._write(pipeline.execute)

    async def count(self, conversation: Conversation) -> int:
        """How many are online now; raises RedisError or TimeoutError."""
        async with asyncio.timeout(self._timeout_s):
            return int(await self._redis.zcount(self._key(conversation), f"({self._clock()}", "+inf"))

    async def refresh(self, online: Callable[[], Mapping[Conversation, Iterable[str]]], stop: asyncio.Event) -> None:
        """Write `online()` again and again, often enough that one lost write does no harm."""
        while not stop.is_set():
            await self.enter(online())
            await pause(stop, self._ttl_s / 3)

    async def _write(self, execute: Callable[[], Awaitable[Any]]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await execute()
        except (RedisError, OSError, TimeoutError) as error:
            FAILURES.inc()
            if not self._failing:
                log.warning("Redis does not answer, so streams go on without presence: %s: %s",
                            type(error).__name__, error)  # fmt: skip
            self._failing = True
        else:
            if self._failing:
                log.info("presence is written again")
            self._failing = False

    def _key(self, conversation: Conversation) -> str:
        return f"{self._prefix}presence:{conversation.tenant_id}:{conversation.id}"
