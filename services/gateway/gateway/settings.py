"""What the gateway reads from its environment."""

from __future__ import annotations

from pydantic import AnyHttpUrl, Field
from servicekit.settings import MongodbSettings, RedisSettings

from gateway.routes import STREAM


class Settings(MongodbSettings, RedisSettings):
    """The gateway's settings; the defaults of all limits suit one small replica."""

    messaging_url: AnyHttpUrl
    sockets_url: AnyHttpUrl
    billing_url: AnyHttpUrl

    key_ttl_s: int = Field(60, ge=1, description="how long a revoked key may still pass")
    unknown_key_ttl_s: int = Field(5, ge=1, description="how long a new key may still be refused")
    rate_burst_s: float = Field(10, gt=0, description="how many seconds' worth of requests may come at once")
    redis_timeout_s: float = Field(1, gt=0)
    redis_rest_s: float = Field(2, gt=0, description="how long to do without Redis after it failed")

    connect_timeout_s: float = Field(2, gt=0)
    upstream_timeout_s: float = Field(10, gt=0)
    body_timeout_s: float = Field(10, gt=0, description="how long a client may take to send a body")
    retry_pause_s: float = Field(0.1, ge=0)
    max_connections: int = Field(200, ge=1, description="to each upstream")

    max_streams: int = Field(2000, ge=1)
    stream_send_timeout_s: float = Field(10, gt=0, description="how long a client may take to read a frame")
    max_frame_bytes: int = Field(256 * 1024, ge=1024)

    @property
    def upstreams(self) -> dict[str, str]:
        """The base URL of each upstream that the routing table names."""
        urls = {"messaging": self.messaging_url, "sockets": self.sockets_url, "billing": self.billing_url}
        return {name: str(url).rstrip("/") for name, url in urls.items()}

    @property
    def stream_url(self) -> str:
        """Where the WebSocket is served: ws for http, wss for https."""
        return self.upstreams[STREAM.upstream].replace("http", "ws", 1) + STREAM.path
