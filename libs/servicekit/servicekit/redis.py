"""Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis

from servicekit.settings import RedisSettings


@asynccontextmanager
async def connected(settings: RedisSettings, name: str) -> AsyncIterator[Redis]:
    """A client whose connections are made when first needed; answers are `str`."""
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    given: dict[str, Any] = {"password": password} if password else {}  # else the URL may hold one
    client = Redis.from_url(
        settings.redis_url,
        client_name=name,
        decode_responses=True,
        socket_timeout=2.0,
        socket_connect_timeout=2.0,
        health_check_interval=30,
        **given,
    )
    try:
        yield client
    finally:
        await client.aclose()
