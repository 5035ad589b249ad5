"""Each backend fails in its own way while tenants write: nothing acknowledged is lost or counted twice.

One round of each here; `make test-faults` runs twenty, at random moments. A failure shows the seed, which makes the
same moments again: DEVENV_FAULT_SEED=... DEVENV_FAULT_ROUNDS=...
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from random import Random, randrange
from typing import Any
from uuid import uuid4

import httpx
import pytest

from devenv.testing.handles import Undo
from devenv.testing.kinds.mongodb import Mongodb
from devenv.testing.session import Platform
from tests.e2e.flow import Client, next_of, until

ROUNDS = int(os.environ.get("DEVENV_FAULT_ROUNDS", "1"))
SEED = int(os.environ.get("DEVENV_FAULT_SEED", "0")) or randrange(1, 1_000_000)
WRITERS = 4
FAULTS: dict[str, tuple[str, Callable[[Any], Undo]]] = {
    "kafka is killed": ("kafka", lambda handle: handle.kill()),
    "mongodb is paused": ("mongodb", lambda handle: handle.pause()),
    "redis is gone": ("redis", lambda handle: handle.stop(0)),
    "minio is disconnected": ("minio", lambda handle: handle.disconnect()),
}


@dataclass
class Writes:
    """What the gateway has acknowledged, and what it has said where it could not."""

    client: Client
    conversation: str
    acknowledged: list[str] = field(default_factory=list)
    refusals: list[httpx.Response] = field(default_factory=list)

    async def go_on(self, ended: asyncio.Event) -> None:
        """Write until `ended`; each message again under its own key until it is acknowledged."""
        number = 0
        while not ended.is_set():
            number += 1
            await self.write(f"message {number}")

    async def write(self, text: str) -> None:
        """One message, however often it has to be sent; the gateway, which nobody harms, answers each time."""
        key = uuid4().hex
        body = {"conversation_id": self.conversation, "sender": "ada", "text": text}
        while True:
            answer = await self.client.http.post("/v1/messages", json=body, headers={"Idempotency-Key": key})
            if answer.status_code in (200, 201):
                self.acknowledged.append(answer.json()["id"])
                return
            self.refusals.append(answer)
            await asyncio.sleep(0.1)

    async def reach(self, count: int) -> None:
        """Wait until so many are acknowledged."""
        async def reached() -> bool:
            return len(self.acknowledged) >= count

        await until(reached, True, f"no {count} writes were acknowledged", deadline_s=90)

    async def stored(self) -> list[str]:
        """The ids that the conversation has, page by page."""
        found: list[str] = []
        page = await self.client.get(f"/v1/conversations/{self.conversation}/messages", limit=100)
        while True:
            found += [one["id"] for one in page["items"]]
            if not page["next_cursor"]:
                return found
            page = await self.client.get(f"/v1/conversations/{self.conversation}/messages", limit=100,
                                         cursor=page["next_cursor"])


@asynccontextmanager
async def listening(client: Client, conversation: str) -> AsyncIterator[set[str]]:
    """The ids that one WebSocket brings, through the gateway; fails where a fault closes it."""
    received: set[str] = set()
    is_ready = asyncio.Event()

    async def read() -> None:
        async with client.stream(conversation) as stream:
            await next_of(stream, "ready")
            is_ready.set()
            async for frame in stream:
                received.add(json.loads(frame)["message"]["id"])

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait_for(is_ready.wait(), 30)
        yield received
        assert not reading.done(), "the stream was closed"
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def tenant(mongodb: Mongodb, platform: Platform) -> AsyncIterator[Client]:
    """A new tenant's client, whose usage starts at nothing; what it has stored goes at the end.

    Otherwise each of many rounds would have to read past what all before it have stored.
    """
    name = f"faults-{uuid4().hex[:8]}"
    gateway = platform.service("gateway")
    with mongodb.client() as client:
        database = client[gateway.environment["MONGODB_DATABASE"]]
        database.api_keys.insert_one({
            "_id": sha256(name.encode()).hexdigest(), "tenant_id": name, "name": "faults",
            "rate_per_minute": 1_000_000, "created_at": datetime.now(UTC), "revoked_at": None})
        async with Client(gateway.url, name) as one:
            yield one
        for collection in database.list_collection_names():
            database[collection].delete_many({"tenant_id": name})


def said_so(answer: httpx.Response) -> bool:
    """Whether a refusal is a server's own problem document, and not a crash or another's page."""
    body = answer.json()
    return (answer.headers["content-type"] == "application/problem+json" and answer.status_code in (502, 503, 504)
            and body["status"] == answer.status_code and bool(body["title"]) and bool(body["request_id"]))


async def invoice(client: Client) -> httpx.Response:
    """Ask for this month's invoice, whose files are kept in MinIO."""
    return await client.http.post("/v1/invoices", json={"month": datetime.now(UTC).strftime("%Y-%m")})


async def nothing(client: Client) -> None:
    """No more is asked of these while the backend is away."""


async def invoices_say_so(client: Client) -> None:
    """Without MinIO messages go on; what needs it is refused in good form."""
    answer = await invoice(client)
    assert said_so(answer), f"{answer.status_code} {answer.text}"


DURING: dict[str, Callable[[Client], Awaitable[None]]] = {"minio is disconnected": invoices_say_so}


@pytest.mark.devenv_alone
@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_acknowledged_is_lost_or_counted_twice(
    devenv_platform: Platform, mongodb: Mongodb, fault: str, number: int
) -> None:
    moments = Random(f"{SEED} {fault} {number}")
    name, harm = FAULTS[fault]
    handle = devenv_platform.backend(name)
    print(f"DEVENV_FAULT_SEED={SEED}, round {number}: {fault}")
    async with tenant(mongodb, devenv_platform) as client:
        writes = Writes(client, await client.conversation(fault))
        async with listening(client, writes.conversation) as received:
            await go_through(writes, fault, partial(harm, handle), moments)
            stored = await writes.stored()
            assert sorted(stored) == sorted(writes.acknowledged)

            async def missed() -> int:
                return len(set(stored) - received)

            # Who listens all the time sees every message, also those of the time without the backend.
            await until(missed, 0, "the stream has not brought everything", deadline_s=60)
            assert received == set(stored)
        await until(client.usage, len(stored), "usage is not what is stored", deadline_s=60)
        made = await invoice(client)
        # 200 where the one asked for meanwhile, given up by the gateway, was made in the end.
        assert made.status_code in (200, 201) and made.json()["messages"] == len(stored), made.text
    unclear = [f"{one.status_code} {one.text}" for one in writes.refusals if not said_so(one)]
    assert not unclear, unclear[0]


async def go_through(writes: Writes, fault: str, harm: Callable[[], Undo], moments: Random) -> None:
    """Several write, the backend fails and comes back, and they go on until they have seen that it is back."""
    ended = asyncio.Event()
    writers = [asyncio.create_task(writes.go_on(ended)) for _ in range(WRITERS)]
    try:
        await writes.reach(WRITERS)
        await asyncio.sleep(moments.uniform(0, 0.5))
        undo = await asyncio.to_thread(harm)
        try:
            await asyncio.sleep(moments.uniform(0.2, 2))
            await DURING.get(fault, nothing)(writes.client)
        finally:
            await asyncio.to_thread(undo.undo)
        await writes.reach(len(writes.acknowledged) + 2 * WRITERS)
    finally:
        ended.set()
        # Each ends with the message at hand, so that nothing is stored that was not acknowledged.
        await asyncio.wait_for(asyncio.gather(*writers), 60)
