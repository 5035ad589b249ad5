"""The rate limit of a key, shared by all replicas: the generic cell rate algorithm in one Redis script."""

from __future__ import annotations

from redis.asyncio import Redis

from gateway.best_effort import BestEffort
from gateway.keys import Key

# The stored value is the theoretical arrival time: when the budget will be whole again. Redis's own clock counts, so
# replicas need not agree on the time. Numbers go back as `%.0f`: Lua's own form would cut microseconds off.
GCRA = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = arrival - now - interval * (burst - 1)
if wait > 0 then
    return string.format('%.0f', wait)
end
arrival = arrival + interval
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
return '0'
"""


class RateLimit:
    """Allows each key its requests a minute as a steady flow, of which `burst_s` seconds' worth may come at once."""

    def __init__(self, redis: Redis, best_effort: BestEffort, *, prefix: str, burst_s: float) -> None:
        self._script = redis.register_script(GCRA)
        self._best_effort = best_effort
        self._prefix = prefix
        self._burst_s = burst_s

    async def wait_s(self, key: Key) -> float:
        """0 if a request may pass now, otherwise the seconds until one may; 0 also while Redis is away."""
        interval_s = 60 / max(key.rate_per_minute, 1)
        burst = max(self._burst_s / interval_s, 1)
        answer = await self._best_effort.attempt(
            "limit",
            lambda: self._script(keys=[f"{self._prefix}rate:{key.digest}"], args=[interval_s * 1_000_000, burst]),
        )
        return int(answer or 0) / 1_000_000
