"""The gateway as an ASGI app: what it opens, and what it answers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from servicekit import mongodb, redis
from servicekit.app import create_app
from servicekit.cutoff import CutOff
from servicekit.readiness import Check
from starlette.applications import Starlette

from gateway.admission import Admission
from gateway.best_effort import BestEffort
from gateway.endpoints import ENDPOINTS
from gateway.keys import Keys
from gateway.limits import RateLimit
from gateway.proxy import Proxy, pool
from gateway.settings import Settings
from gateway.stream import Streams


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Check]]:
    """Open the clients; Redis is no condition of readiness, since the gateway does without it."""
    settings = Settings.load()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(mongodb.connected(settings, "gateway"))
        cache = await stack.enter_async_context(redis.connected(settings, "gateway"))
        upstreams = {
            name: await stack.enter_async_context(pool(url, settings)) for name, url in settings.upstreams.items()
        }
        best_effort = BestEffort(time.monotonic, timeout_s=settings.redis_timeout_s, rest_s=settings.redis_rest_s)
        prefix = settings.redis_key_prefix
        keys = Keys(
            database["api_keys"], cache, best_effort,
            prefix=prefix, ttl_s=settings.key_ttl_s, unknown_ttl_s=settings.unknown_key_ttl_s,
        )  # fmt: skip
        admission = Admission(keys, RateLimit(cache, best_effort, prefix=prefix, burst_s=settings.rate_burst_s))
        app.state.admission = admission
        app.state.proxy = Proxy(upstreams, settings.retry_pause_s, settings.body_timeout_s)
        app.state.streams = Streams(
            admission,
            settings.stream_url,
            max_streams=settings.max_streams,
            open_timeout_s=settings.upstream_timeout_s,
            send_timeout_s=settings.stream_send_timeout_s,
            max_frame_bytes=settings.max_frame_bytes,
        )
        yield {"mongodb": partial(mongodb.check, database)}


app = create_app("gateway", ENDPOINTS, lifespan)
app.add_middleware(CutOff)
