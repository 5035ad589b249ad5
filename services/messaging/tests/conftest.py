"""In-memory stands for MongoDB and the object store, and a client of the service over them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import httpx
import pytest
from messaging.routes import ROUTES
from messaging.settings import Settings
from messaging.store import now
from servicekit.app import create_app


class FakeStore:
    """`messaging.store.Store` in dicts; `failing` is raised by every write while it is set."""

    def __init__(self):
        self.conversations_, self.attachments_, self.messages_, self.leases = {}, {}, {}, {}
        self.failing = None
        self.marked = []

    async def add_conversation(self, conversation):
        self.conversations_[conversation["_id"]] = conversation

    async def conversation(self, conversation_id):
        return self.conversations_.get(conversation_id)

    async def conversations(self, tenant_id, before, limit):
        found = [each for each in self.conversations_.values() if each["tenant_id"] == tenant_id]
        found = [each for each in found if before is None or each["_id"] < before]
        return sorted(found, key=lambda each: each["_id"], reverse=True)[:limit]

    async def add_attachment(self, attachment):
        self.attachments_[attachment["_id"]] = attachment

    async def attachment(self, attachment_id):
        return self.attachments_.get(attachment_id)

    async def add_message(self, message):
        if message["_id"] in self.messages_:
            return False
        self.messages_[message["_id"]] = message
        return True

    async def message(self, message_id):
        return self.messages_.get(message_id)

    async def messages(self, conversation_id, after, limit):
        found = [each for each in self.messages_.values() if each["conversation_id"] == conversation_id]
        found = [each for each in found if after is None or each["position"] > after]
        return sorted(found, key=lambda each: each["position"])[:limit]

    async def unpublished(self, older_than_s, limit):
        latest = now() - timedelta(seconds=older_than_s)
        found = [each for each in self.messages_.values() if each["unpublished_since"]]
        found = [each for each in found if each["unpublished_since"] < latest]
        return sorted(found, key=lambda each: each["position"])[:limit]

    async def mark_published(self, message_ids):
        if self.failing:
            raise self.failing
        for each in message_ids:
            self.marked.append(each)
            if each in self.messages_:
                self.messages_[each]["unpublished_since"] = None

    async def take_lease(self, name, owner, seconds):
        return self.leases.setdefault(name, owner) == owner


class FakeBucket:
    """`servicekit.s3.Bucket` with the sizes of what was uploaded."""

    def __init__(self):
        self.objects = {}

    async def size(self, key):
        return self.objects.get(key)

    async def upload_url(self, key, content_type, size_bytes, expires_in_s):
        return f"http://store/{key}?type={content_type}&size={size_bytes}&expires={expires_in_s}"

    async def download_url(self, key, file_name, expires_in_s):
        return f"http://store/{key}?name={file_name}&expires={expires_in_s}"


@pytest.fixture(autouse=True)
def untouched_logging():
    """`create_app` takes over the root logger; give it back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers, logging.root.level = handlers, level


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def bucket():
    return FakeBucket()


@pytest.fixture
def offered():
    """Messages that were offered to the relay."""
    return []


@pytest.fixture
async def client(store, bucket, offered) -> AsyncIterator[httpx.AsyncClient]:
    """A client of tenant `demo`."""

    @asynccontextmanager
    async def lifespan(app):
        app.state.settings = Settings(mongodb_url="mongodb://x", kafka_bootstrap_servers="x", attachment_max_bytes=100)
        app.state.store, app.state.bucket = store, bucket
        app.state.relay = SimpleNamespace(offer=offered.append)
        yield {}

    app = create_app("messaging", ROUTES, lifespan)
    options = {"transport": httpx.ASGITransport(app), "base_url": "http://x", "headers": {"X-Tenant-Id": "demo"}}
    async with app.router.lifespan_context(app), httpx.AsyncClient(**options) as client:
        yield client


@pytest.fixture
async def conversation_id(client):
    return (await client.post("/v1/conversations", json={"title": "Sample"})).json()["id"]
