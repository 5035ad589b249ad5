"""kill -9 of each backend under writes: what was acknowledged is there afterwards, and nobody restarts anything."""

import asyncio
import os
import signal

import httpx
import pytest

from tests.e2e.checkout import docker
from tests.e2e.flow import until


def crash(container):
    """kill -9 of the container's first process, which its restart policy answers; not so a kill through the API."""
    os.kill(int(docker("inspect", "-f", "{{.State.Pid}}", container)), signal.SIGKILL)


@pytest.mark.parametrize("backend", ["mongodb", "kafka", "redis", "minio"])
async def test_nothing_acknowledged_is_lost_when_a_backend_is_killed(checkout, client, backend):
    before = await client.usage()
    conversation = await client.conversation(f"{backend} is killed")
    acknowledged = []
    stop = asyncio.Event()

    async def write():
        number = 0
        while not stop.is_set():
            number += 1
            body = {"conversation_id": conversation, "sender": "ada", "text": f"message {number}"}
            key = f"{conversation}-{number}"
            while not stop.is_set():
                try:
                    answer = await client.http.post("/v1/messages", json=body, headers={"Idempotency-Key": key})
                except httpx.HTTPError:
                    await asyncio.sleep(0.2)
                    continue
                if answer.status_code in (200, 201):
                    acknowledged.append(answer.json()["id"])
                    break
                assert answer.status_code in (429, 500, 502, 503, 504), answer.text
                await asyncio.sleep(0.2)

    async def enough(count):
        async def reached():
            return len(acknowledged) >= count

        await until(reached, True, f"no {count} writes were acknowledged")

    writer = asyncio.create_task(write())
    try:
        await enough(20)
        crash(checkout.container(backend))
        await enough(len(acknowledged) + 20)
    finally:
        stop.set()
        await writer

    async def stored():
        found, cursor = [], None
        while True:
            page = await client.get(f"/v1/conversations/{conversation}/messages", limit=100,
                                    **({"cursor": cursor} if cursor else {}))
            found += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    ids = await stored()
    assert len(ids) == len(set(ids))
    assert set(acknowledged) <= set(ids)
    await until(client.usage, before + len(ids), "usage does not equal what is stored")
    # The writes may go on before the backend's next health check: the tests that follow want a whole platform.
    checkout.up()
