"""The gateway with fakes for its backends, and upstreams that do what a test tells them to."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from gateway.admission import Admission
from gateway.best_effort import BestEffort
from gateway.endpoints import ENDPOINTS
from gateway.keys import Keys
from gateway.limits import RateLimit
from gateway.proxy import Proxy, pool
from gateway.settings import Settings
from gateway.stream import Streams
from pymongo.errors import ServerSelectionTimeoutError
from servicekit.app import create_app
from servicekit.cutoff import CutOff

from services.gateway.tests.echo import ECHO


class Documents:
    """The keys `ck_acme` (plenty) and `ck_slow` (one request)."""

    def __init__(self):
        self.down = False
        self.by_id = {
            digest: {"_id": digest, "tenant_id": tenant, "name": "n", "rate_per_minute": rate, "revoked_at": None}
            for secret, tenant, rate in (("ck_acme", "acme", 60_000), ("ck_slow", "acme", 1))
            for digest in [sha256(secret.encode()).hexdigest()]
        }

    async def find_one(self, filter):
        if self.down:
            raise ServerSelectionTimeoutError("no server")
        return self.by_id.get(filter["_id"])


class Gateway:
    """A gateway whose three upstreams are one: what listens on a port of this machine, or an app in this process."""

    def __init__(self, upstream_port=1, upstream_app=None, **settings):
        self.upstream_app = upstream_app
        self.settings = Settings(
            mongodb_url="mongodb://unused",
            redis_url="redis://unused",
            **{f"{name}_url": f"http://127.0.0.1:{upstream_port}" for name in ("messaging", "sockets", "billing")},
            **{"retry_pause_s": 0.01} | settings,
        )
        self.documents = Documents()
        self.redis_server = FakeServer()
        self.app = create_app("gateway", ENDPOINTS, self.lifespan)
        self.app.add_middleware(CutOff, after_s=0.2)

    @asynccontextmanager
    async def lifespan(self, app):
        settings = self.settings
        redis = FakeAsyncRedis(server=self.redis_server, decode_responses=True)
        best_effort = BestEffort(lambda: 0.0, timeout_s=1, rest_s=1)
        admission = Admission(
            Keys(self.documents, redis, best_effort, prefix="", ttl_s=60, unknown_ttl_s=5),
            RateLimit(redis, best_effort, prefix="", burst_s=settings.rate_burst_s),
        )
        async with self.upstream() as client:
            app.state.admission = admission
            app.state.proxy = Proxy(
                dict.fromkeys(settings.upstreams, client), settings.retry_pause_s, settings.body_timeout_s
            )
            app.state.streams = Streams(
                admission,
                settings.stream_url,
                max_streams=settings.max_streams,
                open_timeout_s=settings.upstream_timeout_s,
                send_timeout_s=settings.stream_send_timeout_s,
                max_frame_bytes=settings.max_frame_bytes,
            )
            yield {}
        await redis.aclose()

    def upstream(self):
        if self.upstream_app is None:
            return pool(self.settings.upstreams["messaging"], self.settings)
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.upstream_app), base_url="http://upstream")


class Client(httpx.AsyncClient):
    """Talks to a gateway with a key, over TCP if it is served."""

    def __init__(self, gateway, served=None):
        self.gateway = gateway
        self.served = served
        self.port = served and served.port
        super().__init__(
            transport=None if served else httpx.ASGITransport(gateway.app),
            base_url=f"http://127.0.0.1:{self.port}" if served else "http://gateway",
            headers={"Authorization": "Bearer ck_acme"},
            trust_env=False,
        )


@pytest.fixture
async def client():
    """A client of a gateway in this process, whose upstream tells what arrived."""
    gateway = Gateway(upstream_app=ECHO)
    async with gateway.app.router.lifespan_context(gateway.app), Client(gateway) as client:
        yield client


@pytest.fixture
async def open_gateway(serve):
    """Serve a gateway before `upstream_port`; gives a client for it."""
    async with AsyncExitStack() as stack:

        async def start(upstream_port, **settings):
            gateway = Gateway(upstream_port, **settings)
            return await stack.enter_async_context(Client(gateway, await serve(gateway.app)))

        yield start
