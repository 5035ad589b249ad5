"""The service as an ASGI app: what it opens, and in which order it closes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from pymongo.errors import PyMongoError
from servicekit import mongodb, s3, schema
from servicekit.app import create_app
from servicekit.background import background
from servicekit.readiness import Check
from starlette.applications import Starlette

from billing.counting import Counting
from billing.routes import ROUTES
from billing.settings import Settings
from billing.store import Store


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Check]]:
    """Open the clients, then the consumer; at the end the consumer finishes its round before the clients close."""
    settings = Settings.load()
    async with mongodb.connected(settings, "billing") as database, s3.connected(settings, schema.INVOICES) as bucket:
        counting = Counting(settings, Store(database))
        async with background("counting", counting.run):
            app.state.settings = settings
            app.state.store = Store(database)
            app.state.bucket = bucket
            yield {"mongodb": partial(mongodb.check, database), "kafka": counting.check, "minio": bucket.check}


app = create_app(
    "billing",
    ROUTES,
    lifespan,
    outages={PyMongoError: "MongoDB", **dict.fromkeys(s3.S3_ERRORS, "The object store")},
)
