"""HTTP through the gateway: a real uvicorn before a real upstream."""

import asyncio
import json
import socket

import httpx
import pytest
from gateway.proxy import FAILURES, RETRIES, query_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


async def echo(request: Request) -> Response:
    """What arrived."""
    return JSONResponse(
        {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.scope["query_string"].decode(),
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        },
        201 if request.method == "POST" else 200,
        {"X-From-Service": "1", "Connection": "x-hop", "X-Hop": "1"},
    )


METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


@pytest.fixture
async def client(serve, open_gateway):
    upstream = await serve(Starlette(routes=[Route("/{path:path}", echo, methods=METHODS)]))
    return await open_gateway(upstream.port)


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


def assert_problem(answer, status, words=""):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    body = answer.json()
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]
    assert words in body["detail"]
    return body


async def test_a_request_arrives_as_it_was_sent_with_the_tenant_of_its_key(client):
    answer = await client.post(
        "/v1/messages?a=1&b=%2F%20+", content='{"text": "grüße"}',
        headers={"X-Tenant-Id": "globex", "X-Request-Id": "abc", "Content-Type": "application/json", "TE": "trailers"},
    )  # fmt: skip
    seen = answer.json()
    assert answer.status_code == 201
    assert (seen["method"], seen["path"], seen["query"]) == ("POST", "/v1/messages", "a=1&b=%2F%20+")
    assert seen["body"] == '{"text": "grüße"}'
    assert seen["headers"]["x-tenant-id"] == "acme"
    assert seen["headers"]["x-request-id"] == "abc" == answer.headers["x-request-id"]
    assert not {"authorization", "te"} & set(seen["headers"])
    assert answer.headers["x-from-service"] == "1"
    assert "x-hop" not in answer.headers


@pytest.mark.parametrize(("given", "kept"), [("abc.DEF_1-2", True), ("", False), ("a b", False), ("x" * 129, False)])
async def test_a_request_id_is_kept_if_well_formed_and_made_otherwise(client, given, kept):
    answer = await client.get("/v1/usage", headers={"X-Request-Id": given})
    assert answer.json()["headers"]["x-request-id"] == answer.headers["x-request-id"]
    assert (answer.headers["x-request-id"] == given) is kept
    assert answer.headers["x-request-id"]


async def test_a_message_without_idempotency_key_gets_one_and_a_given_one_is_kept(client):
    keys = [(await client.post("/v1/messages", json={})).json()["headers"]["idempotency-key"] for _ in range(2)]
    assert keys[0] != keys[1]
    given = await client.post("/v1/messages", json={}, headers={"Idempotency-Key": "mine"})
    assert given.json()["headers"]["idempotency-key"] == "mine"
    other = await client.post("/v1/conversations", json={})
    assert "idempotency-key" not in other.json()["headers"]


@pytest.mark.parametrize(("headers", "words"), [
    ({"Authorization": ""}, "needs an API key"),
    ({"Authorization": "Basic abc"}, "needs an API key"),
    ({"Authorization": "Bearer"}, "needs an API key"),
    ({"Authorization": "Bearer ck_wrong"}, "unknown or was revoked"),
])  # fmt: skip
async def test_no_valid_key_no_entry(client, headers, words):
    answer = await client.get("/v1/usage", headers=headers)
    assert_problem(answer, 401, words)
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_key_that_used_up_its_rate_is_told_when_to_come_back(client):
    slow = {"Authorization": "Bearer ck_slow"}
    assert (await client.get("/v1/usage", headers=slow)).status_code == 200
    answer = await client.get("/v1/usage", headers=slow)
    assert_problem(answer, 429, "1 requests a minute")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await client.get("/v1/usage")).status_code == 200


async def test_without_redis_keys_are_still_checked_and_rates_are_not(client):
    client.gateway.redis_server.connected = False
    for _ in range(3):
        assert (await client.get("/v1/usage", headers={"Authorization": "Bearer ck_slow"})).status_code == 200
    assert_problem(await client.get("/v1/usage", headers={"Authorization": "Bearer ck_wrong"}), 401)


async def test_without_mongodb_known_keys_pass_and_others_are_asked_to_wait(client):
    assert (await client.get("/v1/usage")).status_code == 200
    client.gateway.documents.down = True
    assert (await client.get("/v1/usage")).status_code == 200
    answer = await client.get("/v1/usage", headers={"Authorization": "Bearer ck_other"})
    assert_problem(answer, 503, "could not be checked")
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", [
    "/v2/usage", "/v1", "/v1/usage/x", "/metrics/x", "/v1/messages/a%2Fb", "/v1/messages/..%2f..%2fmetrics",
    "/v1/messages/%2e%2e", "/v1/messages/a;b", "/v1/messages/" + "a" * 65,
])  # fmt: skip
async def test_what_the_table_does_not_hold_is_not_there(client, path):
    assert_problem(await client.get(path), 404)


async def test_a_method_that_the_route_has_not_names_those_that_it_has(client):
    answer = await client.delete("/v1/messages")
    assert_problem(answer, 405, "does not answer DELETE")
    assert answer.headers["allow"] == "POST"


def test_bytes_that_a_url_may_not_hold_are_encoded_and_all_others_left_alone():
    def query(given):
        return query_of(Request({"type": "http", "query_string": given}))

    assert query(b"a=%2F&b=+x&c[]='1'") == b"?a=%2F&b=+x&c[]='1'"
    assert query("ü #\n".encode()) == b"?%C3%BC%20%23%0A"
    assert query(b"") == b""


async def chunks(size):
    for _ in range(size // 1024):
        yield b"x" * 1024


@pytest.mark.parametrize("content", [b"x" * 70_000, b"x" * 900_000, chunks(70 * 1024), chunks(900 * 1024)])
async def test_a_body_over_the_limit_is_refused_however_it_is_sent(client, content):
    assert_problem(await client.post("/v1/messages", content=content), 413, "65536")


async def test_a_client_that_asks_before_it_sends_too_much_is_answered_at_once(client):
    answer = await raw(client, b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ck_acme\r\n"
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


async def test_a_head_request_has_the_headers_only(client):
    answer = await client.head("/v1/usage")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


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


async def test_the_index_is_json_for_programs_and_a_page_for_people(client):
    for_programs = await client.get("/", headers={"Authorization": ""})
    paths = [route["path"] for route in for_programs.json()["routes"]]
    assert "/v1/conversations/{id}/messages" in paths
    for_people = await client.get("/", headers={"Accept": "text/html,*/*;q=0.8", "Host": 'evil"><script>'})
    assert for_people.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in for_people.headers["content-security-policy"]
    assert "/v1/conversations/{id}/messages" in for_people.text
    assert "<script" not in for_people.text
