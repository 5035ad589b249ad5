"""The WebSocket through the gateway: real TCP on both sides."""

import asyncio
import json
import logging
import socket
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

KEY = {"Authorization": "Bearer ck_acme"}


class Upstream:
    """A `sockets` that does what a test tells it to; its connections wait in a queue."""

    def __init__(self):
        self.arrived = asyncio.Queue()
        self.refusal = None

    async def connected(self, connection):
        self.arrived.put_nowait(connection)
        await connection.wait_closed()

    def process_request(self, connection, request):
        return self.refusal and connection.respond(*self.refusal)


@pytest.fixture
async def upstream():
    upstream = Upstream()
    async with serve_websockets(
        upstream.connected, "127.0.0.1", 0, process_request=upstream.process_request, compression=None
    ) as server:
        upstream.port = server.sockets[0].getsockname()[1]
        yield upstream


@pytest.fixture
async def gateway(upstream, open_gateway):
    return await open_gateway(upstream.port, stream_send_timeout_s=0.3)


def stream(gateway, query="conversation_id=c-1", headers=KEY, **options):
    return connect(
        f"ws://127.0.0.1:{gateway.port}/v1/stream?{query}", additional_headers=headers, proxy=None, **options
    )


@asynccontextmanager
async def both_ends(gateway, upstream, **options):
    async with stream(gateway, **options) as client:
        yield client, await upstream.arrived.get()


async def closing_of(connection):
    with pytest.raises(ConnectionClosed) as closed:
        async with asyncio.timeout(5):
            while True:
                await connection.recv()
    return closed.value.rcvd.code, closed.value.rcvd.reason


async def refusal_of(gateway, **options):
    with pytest.raises(InvalidStatus) as refused:
        async with stream(gateway, **options):
            pass
    answer = refused.value.response
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, json.loads(answer.body)["detail"]


async def test_frames_pass_both_ways_as_they_are(gateway, upstream):
    async with both_ends(gateway, upstream) as (client, service):
        for frame in ("text", "", b"bytes", b""):
            await service.send(frame)
            assert await client.recv() == frame
            await client.send(frame)
            assert await service.recv() == frame


async def test_the_upstream_is_told_who_asks_for_what(gateway, upstream):
    headers = KEY | {"X-Tenant-Id": "globex", "X-Request-Id": "abc"}
    query = "conversation_id=a&conversation_id=b%2F"
    async with both_ends(gateway, upstream, query=query, headers=headers) as (_, service):
        assert service.request.path == f"/v1/stream?{query}"
        assert service.request.headers.get_all("X-Tenant-Id") == ["acme"]
        assert service.request.headers.get_all("X-Request-Id") == ["abc"]
        assert "Authorization" not in service.request.headers


async def test_a_browser_may_send_its_key_as_a_subprotocol(gateway, upstream):
    async with both_ends(gateway, upstream, headers={}, subprotocols=["bearer", "ck_acme"]) as (client, service):
        assert client.subprotocol == "bearer"
        assert "Sec-WebSocket-Protocol" not in service.request.headers


@pytest.mark.parametrize(("options", "words"), [
    ({"headers": {}}, "needs an API key"),
    ({"headers": {}, "subprotocols": ["bearer"]}, "needs an API key"),
    ({"headers": {}, "subprotocols": ["bearer", "ck_wrong"]}, "unknown or was revoked"),
    ({"headers": {"Authorization": "Bearer ck_wrong"}}, "unknown or was revoked"),
])  # fmt: skip
async def test_no_valid_key_no_stream(gateway, upstream, caplog, options, words):
    status, detail = await refusal_of(gateway, **options)
    assert status == 401
    assert words in detail
    assert upstream.arrived.empty()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_opening_streams_counts_against_the_rate(gateway, upstream):
    slow = {"Authorization": "Bearer ck_slow"}
    async with both_ends(gateway, upstream, headers=slow):
        assert (await refusal_of(gateway, headers=slow))[0] == 429


async def test_a_plain_request_is_told_to_upgrade(gateway):
    answer = await gateway.get("/v1/stream")
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (1008, "no"), (1012, ""), (1013, "slow"), (3001, "ours")])
async def test_a_close_code_of_the_upstream_reaches_the_client(gateway, upstream, code, reason):
    async with both_ends(gateway, upstream) as (client, service):
        await service.send("last words")
        await service.close(code, reason)
        assert await client.recv() == "last words"
        assert await closing_of(client) == (code, reason)


@pytest.mark.parametrize(("code", "reason"), [(1000, "bye"), (1001, ""), (3001, "ours")])
async def test_a_close_code_of_the_client_reaches_the_upstream(gateway, upstream, code, reason):
    async with both_ends(gateway, upstream) as (client, service):
        await client.close(code, reason)
        assert await closing_of(service) == (code, reason)


async def test_a_client_that_vanishes_is_reported_as_gone(gateway, upstream):
    async with both_ends(gateway, upstream) as (client, service):
        client.transport.abort()
        assert (await closing_of(service))[0] == 1001


async def test_an_upstream_that_vanishes_is_taken_to_restart(gateway, upstream):
    async with both_ends(gateway, upstream) as (client, service):
        service.transport.abort()
        assert (await closing_of(client))[0] == 1012


async def test_shutdown_closes_both_sides_with_1012(gateway, upstream):
    async with both_ends(gateway, upstream) as (client, service):
        await gateway.served.stop()
        assert (await closing_of(client))[0] == 1012
        assert (await closing_of(service))[0] == 1012


async def test_an_upstream_that_refuses_is_quoted(gateway, upstream):
    upstream.refusal = (400, '{"detail": "name a conversation"}')
    with pytest.raises(InvalidStatus) as refused:
        async with stream(gateway):
            pass
    answer = refused.value.response
    assert (answer.status_code, answer.body) == (400, b'{"detail": "name a conversation"}')
    assert answer.headers["x-request-id"]


async def test_an_upstream_that_is_down_is_a_502(open_gateway):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    status, detail = await refusal_of(await open_gateway(port))
    assert (status, "could not be reached" in detail) == (502, True)


async def test_the_number_of_streams_is_limited_and_a_place_becomes_free(upstream, open_gateway):
    gateway = await open_gateway(upstream.port, max_streams=1)
    async with both_ends(gateway, upstream):
        assert (await refusal_of(gateway))[0] == 503
    async with asyncio.timeout(5):
        while gateway.gateway.app.state.streams.count:
            await asyncio.sleep(0.005)
    async with both_ends(gateway, upstream):
        pass


async def test_a_frame_over_the_limit_ends_the_stream(upstream, open_gateway):
    gateway = await open_gateway(upstream.port, max_frame_bytes=1024)
    async with both_ends(gateway, upstream) as (client, service):
        await service.send("x" * 1025)
        assert (await closing_of(service))[0] == 1009
        assert (await closing_of(client))[0] == 1012


async def test_a_client_that_does_not_read_slows_the_upstream_down_and_is_then_let_go(gateway, upstream):
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(peer, ("127.0.0.1", gateway.port))
    await loop.sock_sendall(peer, (
        b"GET /v1/stream?conversation_id=c HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Authorization: Bearer ck_acme\r\n\r\n"
    ))  # fmt: skip
    service = await upstream.arrived.get()
    sent = 0
    with pytest.raises(ConnectionClosed) as closed:
        async with asyncio.timeout(10):
            while True:
                await service.send(b"x" * 60_000)
                sent += 1
    assert closed.value.rcvd.code == 1001
    # Kernel buffers take some; were the gateway to hold frames, ten seconds would bring it far more.
    assert sent * 60_000 < 30_000_000
    async with asyncio.timeout(5):
        while gateway.served.server.server_state.connections:
            await asyncio.sleep(0.01)
    peer.close()
