"""What `sockets` reads from its environment."""

from __future__ import annotations

from pydantic import Field
from servicekit.settings import KafkaSettings, RedisSettings


class Settings(KafkaSettings, RedisSettings):
    """The service's settings; the defaults of all limits suit one small replica."""

    max_clients: int = Field(1000, ge=1)
    max_conversations: int = Field(50, ge=1, description="that one WebSocket may listen to")
    queue_bytes: int = Field(256 * 1024, ge=1, description="that may wait for a client before it is dropped")
    recent_messages: int = Field(10_000, ge=1, description="ids remembered, to show a redelivered message once")
    presence_ttl_s: float = Field(30, ge=3)
    redis_timeout_s: float = Field(1, gt=0)
