"""The service as an ASGI app: what it opens, and in which order it closes."""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from pymongo.errors import PyMongoError
from servicekit import mongodb, s3, schema
from servicekit.app import create_app
from servicekit.background import background
from servicekit.readiness import Check
from starlette.applications import Starlette

from messaging.publishing import Publisher
from messaging.relay import Relay
from messaging.routes import ROUTES
from messaging.settings import Settings
from messaging.store import Store


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Check]]:
    """Open the clients, then the relay; at the end the relay publishes what waits before the clients close."""
    settings = Settings.load()
    async with (
        mongodb.connected(settings, "messaging") as database,
        s3.connected(settings, schema.ATTACHMENTS) as bucket,
    ):
        publisher = Publisher(settings)
        relay = Relay(
            Store(database),
            publisher.connect,
            owner=f"{socket.gethostname()}-{secrets.token_hex(4)}",
            grace_s=settings.relay_grace_s,
            max_pause_s=settings.relay_max_pause_s,
        )
        async with background("relay", relay.run):
            app.state.settings = settings
            app.state.store = Store(database)
            app.state.bucket = bucket
            app.state.relay = relay
            yield {"mongodb": partial(mongodb.check, database), "kafka": publisher.check, "minio": bucket.check}


app = create_app(
    "messaging",
    ROUTES,
    lifespan,
    outages={PyMongoError: "MongoDB", **dict.fromkeys(s3.S3_ERRORS, "The object store")},
)
