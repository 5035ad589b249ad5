import json

import pytest
from pydantic import BaseModel
from servicekit.bodies import read_body
from servicekit.paging import cursor_for, cursor_of, limit_of
from servicekit.problems import Problem
from servicekit.tenant import tenant_of
from starlette.requests import Request


class Person(BaseModel):
    name: str
    tags: list[int] = []


def request(query="", headers=(), body=b""):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "query_string": query.encode(), "headers": list(headers)}, receive)


def test_the_tenant_comes_from_its_header():
    assert tenant_of(request(headers=[(b"x-tenant-id", b"demo-1")])) == "demo-1"


@pytest.mark.parametrize("given", [None, b"", b"Demo", b"a/b", b"-a", b"a" * 64, b"demo\n"])
def test_a_missing_or_malformed_tenant_is_refused(given):
    headers = [] if given is None else [(b"x-tenant-id", given)]
    with pytest.raises(Problem) as raised:
        tenant_of(request(headers=headers))
    assert raised.value.status == 400


@pytest.mark.parametrize("key", ["0190f0c1", 17, "é"])
def test_a_cursor_brings_its_key_back(key):
    assert cursor_of(request(f"cursor={cursor_for(key)}"), type(key)) == key


def test_no_cursor_is_the_first_page():
    assert cursor_of(request(), str) is None


@pytest.mark.parametrize("given", ["", "x", "%%", "bm8", cursor_for(5), cursor_for("a") + "!"])
def test_a_cursor_of_no_list_is_refused(given):
    with pytest.raises(Problem) as raised:
        cursor_of(request(f"cursor={given}"), str)
    assert raised.value.status == 400


def test_the_limit_has_a_default_and_bounds():
    assert (limit_of(request()), limit_of(request("limit=200"))) == (50, 200)
    for given in ("0", "201", "x", "-1", "1e2", "²", ""):
        with pytest.raises(Problem):
            limit_of(request(f"limit={given}"))


async def test_a_body_becomes_a_model():
    assert await read_body(request(body=b'{"name": "Ada"}'), Person) == Person(name="Ada")


async def test_bad_fields_are_pointed_at_all_at_once():
    with pytest.raises(Problem) as raised:
        await read_body(request(body=json.dumps({"tags": [1, "x"]}).encode()), Person)
    assert raised.value.status == 422
    assert [each["pointer"] for each in raised.value.members["errors"]] == ["/name", "/tags/1"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"name": "\\ud800"}'])
async def test_what_is_no_json_is_a_400(body):
    with pytest.raises(Problem) as raised:
        await read_body(request(body=body), Person)
    assert raised.value.status == 400
