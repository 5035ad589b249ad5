import asyncio
import json
import re
from contextlib import asynccontextmanager

import httpx
from servicekit import logs
from servicekit.app import create_app
from servicekit.problems import Problem
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute


async def item(request):
    return JSONResponse({"item": request.path_params["id"], "request_id": logs.request_id.get()})


async def size(request):
    return JSONResponse({"size": len(await request.body())})


async def fail(request):
    raise KeyError("lost")


async def away(request):
    raise ConnectionResetError("gone")


async def refuse(request):
    raise Problem(409, "Taken.", headers={"X-Extra": "1"}, field="name")


async def hello(websocket):
    await websocket.accept()
    await websocket.send_text(logs.request_id.get())
    await websocket.close()


ROUTES = [
    Route("/items/{id}", item),
    Route("/size", size, methods=["POST"]),
    Route("/fail", fail),
    Route("/away", away),
    Route("/refuse", refuse),
    WebSocketRoute("/hello", hello),
]


def make_app(checks=None, events=None):
    @asynccontextmanager
    async def lifespan(app):
        yield checks or {}
        if events is not None:
            events.append("closed")

    return create_app("sample", ROUTES, lifespan, outages={ConnectionError: "MongoDB"}, max_body_bytes=10)


async def test_a_well_formed_request_id_is_kept_and_another_replaced(serving):
    async with serving(make_app()) as client:
        kept = await client.get("/items/7", headers={"X-Request-Id": "abc-1"})
        made = await client.get("/items/7", headers={"X-Request-Id": "a b\tc"})
    assert kept.headers["x-request-id"] == kept.json()["request_id"] == "abc-1"
    assert re.fullmatch("[0-9a-f]{32}", made.headers["x-request-id"])
    assert made.json()["request_id"] == made.headers["x-request-id"]
    assert logs.request_id.get() == ""


async def test_problems_are_rfc_9457(serving):
    async with serving(make_app()) as client:
        answer = await client.get("/refuse", headers={"X-Request-Id": "abc-1"})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-extra"] == "1"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Taken.",
        "field": "name",
        "request_id": "abc-1",
    }


async def test_what_starlette_refuses_is_a_problem_too(serving):
    async with serving(make_app()) as client:
        missing, wrong = await client.get("/nowhere"), await client.get("/size")
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is nothing at /nowhere.")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


async def test_a_failure_is_a_500_without_its_reason_and_is_logged(serving, capsys):
    async with serving(make_app()) as client:
        answer = await client.get("/fail")
    assert answer.status_code == 500
    assert "lost" not in answer.text
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (failed,) = [line for line in lines if line["message"] == "request failed"]
    assert failed["request_id"] == answer.headers["x-request-id"]
    assert "KeyError: 'lost'" in failed["exception"]


async def test_an_outage_of_a_backend_is_a_503_that_names_it(serving):
    async with serving(make_app()) as client:
        answer = await client.get("/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["detail"] == "MongoDB is not available; try again."


async def test_a_body_over_the_limit_is_refused_by_its_announced_length(serving):
    async with serving(make_app()) as client:
        fits, large = await client.post("/size", content=b"x" * 10), await client.post("/size", content=b"x" * 11)
    assert fits.json() == {"size": 10}
    assert (large.status_code, large.headers["connection"]) == (413, "close")


async def test_a_body_over_the_limit_is_refused_while_it_arrives(serving):
    async def chunks():
        for _ in range(3):
            yield b"x" * 5

    async with serving(make_app()) as client:
        answer = await client.post("/size", content=chunks())
    assert "content-length" not in answer.request.headers
    assert answer.status_code == 413


async def test_metrics_count_by_route_pattern(serving):
    async with serving(make_app()) as client:
        await client.get("/items/secret-id")
        text = (await client.get("/metrics")).text
    assert 'http_requests_total{method="GET",route="/items/{id}",service="sample",status="200"}' in text
    assert "secret-id" not in text


async def test_access_lines_leave_out_probes(serving, capsys):
    async with serving(make_app()) as client:
        await client.get("/healthz")
        await client.get("/items/7", headers={"X-Tenant-Id": "demo"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (access,) = [line for line in lines if line["logger"] == "access"]
    assert (access["message"], access["status"], access["tenant"]) == ("GET /items/7", 200, "demo")


async def test_healthz_asks_no_backend_and_readyz_asks_all(serving):
    asked = []

    async def check():
        asked.append("mongodb")
        raise OSError("refused")

    async with serving(make_app({"mongodb": check})) as client:
        alive = await client.get("/healthz")
        assert (alive.status_code, asked) == (200, [])
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["mongodb"]["error"] == "OSError: refused"


async def test_what_the_lifespan_opened_is_closed_at_the_end(serving):
    events = []
    async with serving(make_app(events=events)):
        assert events == []
    assert events == ["closed"]


async def test_a_websocket_has_a_request_id():
    app, sent = make_app(), []
    received = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

    async def receive():
        return next(received)

    async def send(message):
        sent.append(message)

    headers = [(b"x-request-id", b"ws-1")]
    scope = {"type": "websocket", "path": "/hello", "headers": headers, "query_string": b"", "subprotocols": []}
    await app(scope, receive, send)
    assert [each["type"] for each in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert sent[1]["text"] == "ws-1"


async def test_concurrent_requests_keep_their_ids(serving):
    async with serving(make_app()) as client:
        answers = await asyncio.gather(
            *(client.get("/items/1", headers={"X-Request-Id": f"r{number}"}) for number in range(20))
        )
    assert [answer.json()["request_id"] for answer in answers] == [f"r{number}" for number in range(20)]
    assert all(isinstance(answer, httpx.Response) for answer in answers)
