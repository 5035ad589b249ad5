"""What a request meets at the gateway's door, and what of it reaches the upstream."""

import pytest
from gateway.proxy import query_of
from starlette.requests import Request

from services.gateway.tests.problems import assert_problem


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


async def test_the_access_log_names_the_tenant_of_the_key_and_no_other(client, caplog):
    await client.get("/v1/usage", headers={"X-Tenant-Id": "globex"})
    await client.get("/v1/usage", headers={"X-Tenant-Id": "globex", "Authorization": ""})
    logged = [record.tenant for record in caplog.records if record.name == "access"]
    assert logged == ["acme", ""]


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


async def test_a_head_request_has_the_headers_only(client):
    answer = await client.head("/v1/usage")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_the_index_is_json_for_programs_and_a_page_for_people(client):
    for_programs = await client.get("/", headers={"Authorization": ""})
    paths = [route["path"] for route in for_programs.json()["routes"]]
    assert "/v1/conversations/{id}/messages" in paths
    for_people = await client.get("/", headers={"Accept": "text/html,*/*;q=0.8", "Host": 'evil"><script>'})
    assert for_people.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in for_people.headers["content-security-policy"]
    assert "/v1/conversations/{id}/messages" in for_people.text
    assert "<script" not in for_people.text
