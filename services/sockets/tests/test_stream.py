"""WebSockets on a real uvicorn, over real TCP."""

import asyncio
import json
import logging
import socket
from contextlib import asynccontextmanager
from itertools import count

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from servicekit.app import create_app
from servicekit.cutoff import CutOff
from sockets.app import OUTAGES, ROUTES
from sockets.hub import DROPPED, Conversation, Hub
from sockets.presence import Presence
from sockets.stream import Stream
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

C1 = Conversation("acme", "c-1")
TENANT = {"X-Tenant-Id": "acme"}


class FedFeed:
    """A feed that has its assignment."""

    is_assigned = True


class Platform:
    """The app with its own Redis, and what the tests need to reach in it."""

    def __init__(self, **limits):
        self.redis_server = FakeServer()
        self.redis = FakeAsyncRedis(server=self.redis_server, decode_responses=True)
        self.hub = Hub(queue_bytes=20_000)
        self.feed = FedFeed()
        presence = Presence(self.redis, count(1000).__next__, prefix="", ttl_s=100_000, timeout_s=1)
        self.app = create_app("sockets", ROUTES, self.lifespan, outages=OUTAGES)
        self.app.add_middleware(CutOff, after_s=0.2)
        self.app.state.presence = presence
        self.app.state.stream = Stream(
            self.hub, self.feed, presence, **{"max_clients": 100, "max_conversations": 3} | limits
        )

    @asynccontextmanager
    async def lifespan(self, app):
        yield {}
        await self.redis.aclose()

    async def joined(self, clients):
        async with asyncio.timeout(5):
            while self.hub.count != clients:
                await asyncio.sleep(0.005)


@pytest.fixture
async def platform():
    return Platform()


@pytest.fixture
async def served(platform, serve):
    return await serve(platform.app)


def stream(served, *ids, headers=TENANT, **options):
    query = "&".join(f"conversation_id={id}" for id in ids)
    return connect(f"ws://127.0.0.1:{served.port}/v1/stream?{query}", additional_headers=headers, proxy=None, **options)


async def test_ready_comes_first_then_each_message(platform, served):
    async with stream(served, "c-1", "c-2") as client:
        assert json.loads(await client.recv()) == {"type": "ready"}
        platform.hub.publish(C1, "one")
        platform.hub.publish(Conversation("acme", "c-2"), "two")
        platform.hub.publish(Conversation("acme", "c-3"), "not mine")
        platform.hub.publish(Conversation("globex", "c-1"), "not my tenant's")
        platform.hub.publish(C1, "three")
        assert [await client.recv() for _ in range(3)] == ["one", "two", "three"]


@pytest.mark.parametrize(("ids", "headers", "status", "words"), [
    ((), TENANT, 400, "Name 1 to 3 conversations"),
    (("a", "b", "c", "d"), TENANT, 400, "Name 1 to 3 conversations"),
    (("a%2Fb",), TENANT, 400, "conversation_id is"),
    (("a" * 65,), TENANT, 400, "conversation_id is"),
    (("c-1",), {}, 400, "X-Tenant-Id"),
])  # fmt: skip
async def test_what_cannot_be_served_is_refused_with_a_problem(served, caplog, ids, headers, status, words):
    with pytest.raises(InvalidStatus) as refused:
        async with stream(served, *ids, headers=headers):
            pass
    answer = refused.value.response
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in json.loads(answer.body)["detail"]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_no_stream_is_opened_before_the_feed_has_its_partitions(platform, served):
    platform.feed.is_assigned = False
    with pytest.raises(InvalidStatus) as refused:
        async with stream(served, "c-1"):
            pass
    assert (refused.value.response.status_code, refused.value.response.headers["retry-after"]) == (503, "1")
    assert platform.hub.count == 0


async def test_the_number_of_clients_is_limited_and_a_place_becomes_free(serve):
    platform = Platform(max_clients=1)
    served = await serve(platform.app)
    async with stream(served, "c-1"):
        with pytest.raises(InvalidStatus) as refused:
            async with stream(served, "c-1"):
                pass
        assert refused.value.response.status_code == 503
    await platform.joined(0)
    async with stream(served, "c-1") as client:
        await client.recv()


async def test_a_client_that_talks_is_told_where_to(served):
    async with stream(served, "c-1") as client:
        await client.recv()
        await client.send("hello?")
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd.code == 1008
    assert "POST /v1/messages" in closed.value.rcvd.reason


async def test_a_message_over_the_limit_is_not_taken_in(platform, serve):
    served = await serve(platform.app, ws_max_size=1000)
    async with stream(served, "c-1") as client:
        await client.recv()
        await client.send("x" * 1001)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd.code == 1009


async def test_presence_counts_who_listens(platform, served):
    async def online(conversation="c-1", tenant="acme"):
        url = f"http://127.0.0.1:{served.port}/v1/conversations/{conversation}/presence"
        answer = await http.get(url, headers={"X-Tenant-Id": tenant})
        return answer.json()["online"]

    async with httpx.AsyncClient(trust_env=False) as http:
        async with stream(served, "c-1") as one, stream(served, "c-1", "c-2") as two:
            await asyncio.gather(one.recv(), two.recv())
            assert [await online(), await online("c-2"), await online(tenant="globex")] == [2, 1, 0]
        await platform.joined(0)
        async with asyncio.timeout(5):
            while await online():
                await asyncio.sleep(0.005)


async def test_presence_without_redis_is_a_problem_and_streams_go_on(platform, served):
    platform.redis_server.connected = False
    async with stream(served, "c-1") as client, httpx.AsyncClient(trust_env=False) as http:
        await client.recv()
        platform.hub.publish(C1, "all the same")
        assert await client.recv() == "all the same"
        url = f"http://127.0.0.1:{served.port}/v1/conversations/c-1/presence"
        answer = await http.get(url, headers=TENANT)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "Redis" in answer.json()["detail"]


async def test_shutdown_closes_streams_with_1012(platform, served):
    async with stream(served, "c-1") as client:
        await client.recv()
        await served.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd.code == 1012
    assert platform.hub.count == 0


async def deaf_client(served):
    """A client that opens a stream and then reads nothing more; its buffers are as small as TCP allows."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", served.port))
    request = (
        "GET /v1/stream?conversation_id=c-1 HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nX-Tenant-Id: acme\r\n\r\n"
    )
    await loop.sock_sendall(peer, request.encode())
    received = b""
    while b"ready" not in received:
        received += await loop.sock_recv(peer, 1024)
    return peer


async def test_a_client_that_does_not_read_is_dropped_and_the_others_do_not_notice(platform, served):
    before = DROPPED._value.get()
    deaf = await deaf_client(served)
    async with stream(served, "c-1", max_queue=None) as client:
        await client.recv()
        frames = [f"{number:05}" + "x" * 8000 for number in range(1500)]
        received = []
        for frame in frames:
            platform.hub.publish(C1, frame)
            received.append(await client.recv())
        assert received == frames
        await platform.joined(1)
    assert DROPPED._value.get() == before + 1
    # Not only forgotten: the connection itself is gone.
    async with asyncio.timeout(5):
        while served.server.server_state.connections:
            await asyncio.sleep(0.01)
    deaf.close()


async def test_a_client_that_reads_again_learns_that_it_was_too_slow(platform, served):
    async with stream(served, "c-1", max_queue=1) as client:
        await client.recv()
        [subscriber] = platform.hub._members[C1]
        for _ in range(4):
            platform.hub.publish(C1, "x" * 8000)
        assert subscriber.too_slow.is_set()
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await client.recv()
    assert closed.value.rcvd.code == 1013


async def test_shutdown_does_not_wait_for_a_client_that_does_not_read(platform, served, caplog):
    deaf = await deaf_client(served)
    [subscriber] = platform.hub._members[C1]
    while not subscriber.too_slow.is_set():
        platform.hub.publish(C1, "x" * 8000)
        await asyncio.sleep(0)
    [connection] = served.server.server_state.connections
    assert not connection.writable.is_set()
    await served.stop()
    assert "graceful shutdown exceeded" not in caplog.text
    deaf.close()


async def test_metrics_count_clients_and_frames(platform, served):
    async with stream(served, "c-1") as client, httpx.AsyncClient(trust_env=False) as http:
        await client.recv()
        platform.hub.publish(C1, "counted")
        await client.recv()
        text = (await http.get(f"http://127.0.0.1:{served.port}/metrics")).text
    for name in ("sockets_connected_clients", "sockets_frames_sent_total", "sockets_clients_dropped_total"):
        assert f"\n{name} " in text
