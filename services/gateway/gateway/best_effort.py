"""Redis as the gateway uses it: a help that it can do without, and never a reason to wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from prometheus_client import Counter
from redis.exceptions import RedisError

SKIPPED = Counter("gateway_redis_skipped_total", "Redis operations that were done without.", ["operation"])
log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class BestEffort:
    """Runs operations on Redis; after a failure it does not ask for `rest_s`, so an outage makes no request wait."""

    def __init__(self, clock: Callable[[], float], *, timeout_s: float, rest_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._resting_until = 0.0
        self._failing = False

    async def attempt(self, name: str, operation: Callable[[], Awaitable[Answer]]) -> Answer | None:
        """The operation's answer, or None when Redis gave none."""
        if self._clock() < self._resting_until:
            SKIPPED.labels(name).inc()
            return None
        if self._failing:
            # One request tries whether Redis is back; the others do not wait for it.
            self._resting_until = self._clock() + self._rest_s
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await operation()
        except (RedisError, OSError, TimeoutError) as error:
            SKIPPED.labels(name).inc()
            self._resting_until = self._clock() + self._rest_s
            if not self._failing:
                log.warning("Redis does not answer, so keys come from MongoDB and no rate is limited: %s: %s",
                            type(error).__name__, error)  # fmt: skip
            self._failing = True
            return None
        if self._failing:
            log.info("Redis answers again")
            self._failing, self._resting_until = False, 0.0
        return answer
