"""The platform's whole flow, through the gateway alone: the same code for every runtime."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

import httpx
import websockets

DEADLINE_S = 30


class Client:
    """A tenant's view of the platform at one URL."""

    def __init__(self, url, key, ssl=None):
        self.url, self.key, self.ssl = url, key, ssl
        self.http = httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=15,
                                      verify=self.verify)

    @property
    def verify(self):
        return self.ssl if self.ssl is not None else True

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.http.aclose()

    async def post(self, path, body, status=201, **headers):
        answer = await self.http.post(path, json=body, headers=headers)
        assert answer.status_code == status, f"POST {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def get(self, path, **parameters):
        answer = await self.http.get(path, params=parameters)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def conversation(self, title="a conversation"):
        return (await self.post("/v1/conversations", {"title": title}))["id"]

    async def send(self, conversation, text, **more):
        body = {"conversation_id": conversation, "sender": "ada", "text": text, **more}
        return await self.post("/v1/messages", body, **{"Idempotency-Key": uuid.uuid4().hex})

    async def attach(self, conversation, name, content):
        """Upload `content` by presigned URL, past the gateway as a browser would."""
        wanted = {"file_name": name, "content_type": "text/plain", "size_bytes": len(content)}
        made = await self.post(f"/v1/conversations/{conversation}/attachments", wanted)
        async with httpx.AsyncClient(timeout=15, verify=self.verify) as plain:
            put = await plain.put(made["upload_url"], content=content, headers=made.get("upload_headers") or {})
            assert put.status_code == 200, put.text
        return made["id"]

    async def download(self, url):
        async with httpx.AsyncClient(timeout=15, verify=self.verify) as plain:
            got = await plain.get(url)
            assert got.status_code == 200, got.text
            return got.content

    def stream(self, *conversations):
        query = "&".join(f"conversation_id={one}" for one in conversations)
        return websockets.connect(f"{self.url.replace('http', 'ws', 1)}/v1/stream?{query}", ssl=self.ssl,
                                  additional_headers={"Authorization": f"Bearer {self.key}"}, open_timeout=15)

    async def usage(self):
        return (await self.get("/v1/usage"))["messages"]


async def next_of(stream, kind):
    async with asyncio.timeout(DEADLINE_S):
        while True:
            frame = json.loads(await stream.recv())
            if frame["type"] == kind:
                return frame


async def until(probe, wanted, what, deadline_s=DEADLINE_S):
    """Poll `probe` until it gives `wanted`; the last answer is in the failure."""
    seen = None
    try:
        async with asyncio.timeout(deadline_s):
            while True:
                seen = await probe()
                if seen == wanted:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{what}: wanted {wanted!r}, saw {seen!r} for {deadline_s} s") from None


def stored(client, conversation):
    """A probe for `until`: the ids of a conversation's messages, or what was said instead."""
    async def probe():
        answer = await client.http.get(f"/v1/conversations/{conversation}/messages")
        return [one["id"] for one in answer.json()["items"]] if answer.status_code == 200 else answer.text

    return probe


async def whole_flow(client):
    """Key -> message with attachment -> WebSocket receives it -> usage counts -> invoice in MinIO."""
    before = await client.usage()
    conversation = await client.conversation("flow")
    async with client.stream(conversation) as stream:
        await next_of(stream, "ready")
        attachment = await client.attach(conversation, "notes.txt", b"what was said")
        sent = await client.send(conversation, "hello, world", attachment_ids=[attachment])
        received = (await next_of(stream, "message.created"))["message"]
        assert (received["id"], received["text"]) == (sent["id"], "hello, world")
    stored = await client.get(f"/v1/conversations/{conversation}/messages")
    assert [one["id"] for one in stored["items"]] == [sent["id"]]
    found = await client.get(f"/v1/conversations/{conversation}/attachments/{attachment}")
    assert await client.download(found["download_url"]) == b"what was said"
    await until(client.usage, before + 1, "the message was not counted")
    month = datetime.now(UTC).strftime("%Y-%m")
    made = await client.http.post("/v1/invoices", json={"month": month})
    assert made.status_code in (200, 201), made.text
    invoice = made.json()
    assert invoice["messages"] == before + 1 and invoice["amount_cents"] >= 0
    assert b"," in await client.download(invoice["csv_url"])
    assert b"<html" in (await client.download(invoice["html_url"])).lower()
    return conversation, sent
