"""HTTP through the gateway: a real uvicorn before a real upstream."""

import asyncio
import json
import socket

import httpx
import pytest
from gateway.proxy import FAILURES, RETRIES
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from services.gateway.tests.echo import ECHO
from services.gateway.tests.problems import assert_problem


@pytest.fixture
async def talk():
    """Start an upstream that answers each connection with what `handler(number, reader, writer)` does."""
    servers = []

    async def start(handler):
        count = 0

        async def connected(reader, writer):
            nonlocal count
            count += 1
            try:
                await reader.readuntil(b"\r\n\r\n")
                await handler(count, reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        servers.append(await asyncio.start_server(connected, "127.0.0.1", 0))
        return servers[-1].sockets[0].getsockname()[1]

    yield start
    for server in servers:
        server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def chunks(size):
    for _ in range(size // 1024):
        yield b"x" * 1024


@pytest.fixture
async def served(serve, open_gateway):
    """A client of a gateway behind TCP, before the upstream that tells what arrived."""
    return await open_gateway((await serve(ECHO)).port)


@pytest.mark.parametrize("content", [b"x" * 70_000, b"x" * 900_000, chunks(70 * 1024), chunks(900 * 1024)])
async def test_a_body_over_the_limit_is_refused_however_it_is_sent(served, content):
    assert_problem(await served.post("/v1/messages", content=content), 413, "65536")


async def test_a_client_that_asks_before_it_sends_too_much_is_answered_at_once(served):
    answer = await raw(served, b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ck_acme\r\n"
                               b"Expect: 100-continue\r\nContent-Length: 99999\r\n\r\n")  # fmt: skip
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_a_body_that_does_not_come_is_not_waited_for(open_gateway):
    client = await open_gateway(1, body_timeout_s=0.1)
    answer = await raw(client, b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ck_acme\r\n"
                               b"Content-Length: 9\r\n\r\n{")  # fmt: skip
    assert answer.startswith(b"HTTP/1.1 408 ")


async def raw(client, request):
    """Send bytes and read until the gateway closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def test_an_answer_streams_through_before_it_is_whole(serve, open_gateway):
    go_on = asyncio.Event()

    async def parts():
        yield b"first"
        await go_on.wait()
        yield b"second"

    async def answer(request):
        return StreamingResponse(parts(), headers={"X-Streamed": "1"})

    upstream = await serve(Starlette(routes=[Route("/v1/usage", answer)]))
    client = await open_gateway(upstream.port)
    async with client.stream("GET", "/v1/usage") as response:
        received = response.aiter_raw()
        assert await anext(received) == b"first"
        go_on.set()
        assert await anext(received) == b"second"


async def test_an_upstream_that_is_down_is_a_502(open_gateway):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = await open_gateway(port)
    before = FAILURES.labels("messaging", "ConnectError")._value.get()
    answer = await client.post("/v1/conversations", json={})
    problem = assert_problem(answer, 502, "messaging service could not be reached")
    assert str(port) not in json.dumps(problem)
    assert answer.headers["retry-after"] == "1"
    assert FAILURES.labels("messaging", "ConnectError")._value.get() == before + 1


async def test_an_upstream_that_does_not_answer_is_a_504(talk, open_gateway):
    async def hang(number, reader, writer):
        await reader.read()

    client = await open_gateway(await talk(hang), upstream_timeout_s=0.1)
    assert_problem(await client.get("/v1/invoices"), 504, "billing service did not answer in time")


@pytest.mark.parametrize(("method", "path", "headers", "status", "sent"), [
    ("GET", "/v1/usage", {}, 200, 2),
    ("POST", "/v1/messages", {"Idempotency-Key": "k"}, 200, 2),
    ("POST", "/v1/messages", {}, 200, 2),  # the gateway gave it a key
    ("POST", "/v1/invoices", {}, 200, 2),
    ("POST", "/v1/conversations", {}, 502, 1),
    ("POST", "/v1/conversations/c/attachments", {"Idempotency-Key": "k"}, 502, 1),
])  # fmt: skip
async def test_a_request_that_was_cut_off_is_sent_again_where_that_does_no_harm(
    talk, open_gateway, method, path, headers, status, sent
):
    seen = []

    async def hang_up_once(number, reader, writer):
        seen.append(number)
        if number > 1:
            writer.write(OK)
            await writer.drain()

    client = await open_gateway(await talk(hang_up_once))
    answer = await client.request(method, path, headers=headers, json={} if method == "POST" else None)
    assert answer.status_code == status
    assert len(seen) == sent


async def test_a_second_sending_is_the_same_and_there_is_no_third(talk, open_gateway):
    bodies = []

    async def hang_up(number, reader, writer):
        bodies.append(await reader.readexactly(7))

    client = await open_gateway(await talk(hang_up))
    before = RETRIES.labels("messaging")._value.get()
    assert_problem(await client.post("/v1/messages", content=b'{"a":1}'), 502)
    assert bodies == [b'{"a":1}'] * 2
    assert RETRIES.labels("messaging")._value.get() == before + 1


async def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(talk, open_gateway):
    async def half(number, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        await writer.drain()

    client = await open_gateway(await talk(half))
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/v1/usage")


async def test_a_client_that_leaves_gives_the_upstream_connection_back(talk, open_gateway):
    closed = asyncio.Event()

    async def endless(number, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        await writer.drain()
        await reader.read()
        closed.set()

    client = await open_gateway(await talk(endless))
    async with client.stream("GET", "/v1/usage") as response:
        await anext(response.aiter_raw())
    async with asyncio.timeout(5):
        await closed.wait()
