"""In-memory stands for MongoDB and the object store, and a client of the service over them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from billing.routes import ROUTES
from billing.settings import Settings
from billing.store import usage_event
from servicekit.app import create_app
from servicekit.events import MessageCreated


class FakeStore:
    """`billing.store.Store` in dicts; each of `failures` is raised by one call of `count`."""

    def __init__(self):
        self.events, self.invoices_, self.failures, self.calls = {}, {}, [], 0

    async def count(self, messages):
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        events = {message.id: usage_event(message) for message in messages}
        new = {name: event for name, event in events.items() if name not in self.events}
        self.events |= new
        return len(new)

    async def usage(self, tenant_id, month):
        days = {}
        for event in self.events.values():
            if (event["tenant_id"], event["month"]) == (tenant_id, month):
                day = days.setdefault(event["day"], {"day": event["day"], "messages": 0, "bytes": 0})
                day["messages"] += 1
                day["bytes"] += event["bytes"]
        return [days[day] for day in sorted(days)]

    async def invoice(self, invoice_id):
        return self.invoices_.get(invoice_id)

    async def invoices(self, tenant_id):
        found = [each for each in self.invoices_.values() if each["tenant_id"] == tenant_id]
        return sorted(found, key=lambda each: each["month"], reverse=True)

    async def put_invoice(self, invoice):
        new = invoice["_id"] not in self.invoices_
        self.invoices_[invoice["_id"]] = invoice
        return new


class FakeBucket:
    """`servicekit.s3.Bucket` in a dict."""

    def __init__(self):
        self.objects = {}

    async def put(self, key, body, content_type):
        self.objects[key] = (body, content_type)

    async def download_url(self, key, file_name, expires_in_s, *, inline=False):
        return f"http://store/{key}?name={file_name}&inline={inline}"


def make_message(identity="m1", tenant_id="demo", created_at=None, size_bytes=5):
    return MessageCreated(
        id=identity,
        tenant_id=tenant_id,
        conversation_id="c1",
        sender="ada",
        text="hello",
        created_at=created_at or datetime.now(UTC),
        size_bytes=size_bytes,
    )


@pytest.fixture(autouse=True)
def untouched_logging():
    """`create_app` takes over the root logger; give it back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture
def message():
    return make_message


@pytest.fixture
def settings():
    return Settings(mongodb_url="mongodb://x", kafka_bootstrap_servers="x")


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def bucket():
    return FakeBucket()


@pytest.fixture
async def client(store, bucket, settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of tenant `demo`."""

    @asynccontextmanager
    async def lifespan(app):
        app.state.settings, app.state.store, app.state.bucket = settings, store, bucket
        yield {}

    app = create_app("billing", ROUTES, lifespan)
    options = {"transport": httpx.ASGITransport(app), "base_url": "http://x", "headers": {"X-Tenant-Id": "demo"}}
    async with app.router.lifespan_context(app), httpx.AsyncClient(**options) as client:
        yield client
