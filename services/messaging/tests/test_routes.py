import asyncio
import re

import pytest

OTHER = {"X-Tenant-Id": "other"}


def body(conversation_id, **more):
    return {"conversation_id": conversation_id, "sender": "ada", "text": "hello"} | more


async def test_a_conversation_is_made_and_read_again(client):
    made = await client.post("/v1/conversations", json={"title": "  Sample "})
    assert made.status_code == 201
    assert set(made.json()) == {"id", "title", "created_at"}
    assert made.json()["title"] == "Sample"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made.json()["created_at"])
    assert (await client.get(f"/v1/conversations/{made.json()['id']}")).json() == made.json()


async def test_conversations_are_paged_newest_first(client):
    for number in range(5):
        await client.post("/v1/conversations", json={"title": f"{number}"})
        await asyncio.sleep(0.002)  # ids sort by the millisecond
    titles, cursor = [], None
    for expected in (2, 2, 1):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/conversations", params=query)).json()
        assert len(page["items"]) == expected
        titles += [each["title"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert (titles, cursor) == (["4", "3", "2", "1", "0"], None)


async def test_a_message_is_written_and_offered_to_the_relay(client, conversation_id, offered):
    written = await client.post("/v1/messages", json=body(conversation_id))
    assert written.status_code == 201
    assert set(written.json()) == {"id", "conversation_id", "sender", "text", "attachments", "created_at"}
    assert [each["_id"] for each in offered] == [written.json()["id"]]
    assert (await client.get(f"/v1/messages/{written.json()['id']}")).json() == written.json()


async def test_the_same_key_and_body_give_the_first_answer(client, conversation_id, offered):
    headers = {"Idempotency-Key": "k1"}
    first = await client.post("/v1/messages", json=body(conversation_id), headers=headers)
    again = await client.post("/v1/messages", json=body(conversation_id), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert len(offered) == 1


async def test_the_same_key_with_another_body_is_a_conflict(client, conversation_id):
    headers = {"Idempotency-Key": "k1"}
    await client.post("/v1/messages", json=body(conversation_id), headers=headers)
    other = await client.post("/v1/messages", json=body(conversation_id, text="bye"), headers=headers)
    assert (other.status_code, other.json()["title"]) == (409, "Conflict")


async def test_without_a_key_the_same_body_is_another_message(client, conversation_id):
    written = [(await client.post("/v1/messages", json=body(conversation_id))).json()["id"] for _ in range(2)]
    assert len(set(written)) == 2


async def test_keys_of_tenants_do_not_meet(client, conversation_id):
    headers = {"Idempotency-Key": "k1"}
    await client.post("/v1/messages", json=body(conversation_id), headers=headers)
    theirs = (await client.post("/v1/conversations", json={"title": "x"}, headers=OTHER)).json()["id"]
    written = await client.post("/v1/messages", json=body(theirs), headers=headers | OTHER)
    assert written.status_code == 201


@pytest.mark.parametrize("key", ["", "é".encode(), "a b", "x" * 256])
async def test_a_malformed_key_is_refused(client, conversation_id, key):
    answer = await client.post("/v1/messages", json=body(conversation_id), headers={"Idempotency-Key": key})
    assert answer.status_code == 400


async def test_messages_are_paged_oldest_first(client, conversation_id):
    for number in range(5):
        await client.post("/v1/messages", json=body(conversation_id, text=f"{number}"))
        await asyncio.sleep(0.002)  # positions sort by the millisecond
    url = f"/v1/conversations/{conversation_id}/messages"
    first = (await client.get(url, params={"limit": 3})).json()
    rest = (await client.get(url, params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [each["text"] for each in first["items"] + rest["items"]] == ["0", "1", "2", "3", "4"]
    assert rest["next_cursor"] is None


async def test_another_tenant_sees_nothing(client, conversation_id):
    message_id = (await client.post("/v1/messages", json=body(conversation_id))).json()["id"]
    for path in (
        f"/v1/conversations/{conversation_id}",
        f"/v1/conversations/{conversation_id}/messages",
        f"/v1/messages/{message_id}",
    ):
        assert (await client.get(path, headers=OTHER)).status_code == 404, path
    refused = await client.post("/v1/messages", json=body(conversation_id), headers=OTHER)
    assert refused.status_code == 404
    assert (await client.get("/v1/conversations", headers=OTHER)).json()["items"] == []


async def test_a_request_for_no_tenant_is_refused(client):
    assert (await client.get("/v1/conversations", headers={"X-Tenant-Id": ""})).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": " \n"},
        {"text": "x" * 4001},
        {"sender": " "},
        {"conversation_id": {"$ne": ""}},
        {"conversation_id": "a/b"},
        {"attachment_ids": ["x"] * 11},
        {"mood": "good"},
    ],
)
async def test_a_bad_message_is_refused(client, conversation_id, wrong):
    assert (await client.post("/v1/messages", json=body(conversation_id) | wrong)).status_code == 422


NEW = {"file_name": "a.png", "content_type": "image/png", "size_bytes": 7}


async def test_an_attachment_goes_with_a_message_once_uploaded(client, conversation_id, bucket, offered):
    url = f"/v1/conversations/{conversation_id}/attachments"
    announced = await client.post(url, json=NEW)
    assert announced.status_code == 201
    assert announced.json()["upload_headers"] == {"Content-Type": "image/png"}
    assert announced.json()["expires_in_s"] == 900
    attachment_id = announced.json()["id"]
    key = f"demo/{conversation_id}/{attachment_id}"
    assert announced.json()["upload_url"] == f"http://store/{key}?type=image/png&size=7&expires=900"

    message = body(conversation_id, text="", attachment_ids=[attachment_id, attachment_id])
    early = await client.post("/v1/messages", json=message)
    assert (early.status_code, offered) == (422, [])
    assert "not uploaded" in early.json()["detail"]

    bucket.objects[key] = 7
    written = await client.post("/v1/messages", json=message)
    assert written.json()["attachments"] == [{"id": attachment_id, **NEW}]
    assert offered[0]["size_bytes"] == 7

    shown = (await client.get(f"{url}/{attachment_id}")).json()
    assert shown == {"id": attachment_id, **NEW, "download_url": f"http://store/{key}?name=a.png&expires=300"}
    assert (await client.get(f"{url}/{attachment_id}", headers=OTHER)).status_code == 404


async def test_an_attachment_of_another_conversation_is_refused(client, conversation_id, bucket):
    elsewhere = (await client.post("/v1/conversations", json={"title": "x"})).json()["id"]
    attachment_id = (await client.post(f"/v1/conversations/{elsewhere}/attachments", json=NEW)).json()["id"]
    bucket.objects[f"demo/{elsewhere}/{attachment_id}"] = 7
    refused = await client.post("/v1/messages", json=body(conversation_id, attachment_ids=[attachment_id]))
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"size_bytes": 101}, 413),
        ({"size_bytes": 0}, 422),
        ({"file_name": "../x"}, 422),
        ({"file_name": "a\r\nb"}, 422),
        ({"content_type": "html"}, 422),
        ({"content_type": "text/html\r\nX: y"}, 422),
    ],
)
async def test_a_bad_attachment_is_refused(client, conversation_id, wrong, status):
    answer = await client.post(f"/v1/conversations/{conversation_id}/attachments", json=NEW | wrong)
    assert answer.status_code == status
