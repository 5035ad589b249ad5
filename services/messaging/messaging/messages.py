"""Writing a message once, however often it is asked for."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

from servicekit import logs
from servicekit.events import timestamp
from servicekit.ids import time_ordered_id
from servicekit.problems import Problem
from servicekit.s3 import Bucket

from messaging.models import NewMessage
from messaging.store import Document, Store, now

IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Written:
    """The message, and whether this request wrote it."""

    message: Document
    new: bool


def message_id(tenant_id: str, key: str | None) -> str:
    """The message's id: with an idempotency key it follows from that, so `_id`'s uniqueness is the key's."""
    if key is None:
        return secrets.token_hex(16)
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise Problem(400, "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return hashlib.sha256(f"{tenant_id}\n{key}".encode()).hexdigest()[:32]


def fingerprint(new: NewMessage) -> str:
    """Equal for equal bodies."""
    return hashlib.sha256(new.model_dump_json().encode()).hexdigest()


async def write(store: Store, bucket: Bucket, tenant_id: str, new: NewMessage, key: str | None) -> Written:
    """Write the message; with a `key` seen before, return what was written then. Raises `Problem` 404, 409, 422."""
    identity = message_id(tenant_id, key)
    if key is not None and (earlier := await store.message(identity)):
        return repeated(earlier, new)
    await conversation_of(store, tenant_id, new.conversation_id)
    attachments = await attachments_of(store, bucket, tenant_id, new)
    created_at = now()
    message = {
        "_id": identity,
        "tenant_id": tenant_id,
        "conversation_id": new.conversation_id,
        "position": time_ordered_id(),
        "sender": new.sender,
        "text": new.text,
        "attachments": attachments,
        "created_at": created_at,
        "size_bytes": len(new.text.encode()) + sum(each["size_bytes"] for each in attachments),
        "fingerprint": fingerprint(new),
        "request_id": logs.request_id.get(),
        "unpublished_since": created_at,
    }
    if await store.add_message(message):
        return Written(message, new=True)
    earlier = await store.message(identity)
    assert earlier is not None, "messages are never deleted"
    return repeated(earlier, new)


def repeated(earlier: Document, new: NewMessage) -> Written:
    """The earlier message, if the body is the same as then."""
    if earlier["fingerprint"] != fingerprint(new):
        raise Problem(409, "This Idempotency-Key was used for a message with another body; use a new key.")
    return Written(earlier, new=False)


async def conversation_of(store: Store, tenant_id: str, conversation_id: str) -> Document:
    """The tenant's conversation; raises a 404 `Problem` where there is none of that id, or it is another's."""
    found = await store.conversation(conversation_id)
    if found is None or found["tenant_id"] != tenant_id:
        raise Problem(404, f"There is no conversation {conversation_id}.")
    return found


async def attachments_of(store: Store, bucket: Bucket, tenant_id: str, new: NewMessage) -> list[Document]:
    """The message's attachments as they are shown; raises a 422 `Problem` for one that is not there or not uploaded."""

    async def one(attachment_id: str) -> Document:
        found = await store.attachment(attachment_id)
        if found is None or (found["tenant_id"], found["conversation_id"]) != (tenant_id, new.conversation_id):
            raise Problem(422, f"The conversation has no attachment {attachment_id}.")
        if await bucket.size(found["key"]) is None:
            raise Problem(422, f"Attachment {attachment_id} was not uploaded; PUT the file to its upload_url first.")
        return {"id": found["_id"], **{name: found[name] for name in ("file_name", "content_type", "size_bytes")}}

    return list(await asyncio.gather(*(one(each) for each in dict.fromkeys(new.attachment_ids))))


def shown(message: Document) -> dict[str, Any]:
    """The message as clients see it."""
    fields = {name: message[name] for name in ("conversation_id", "sender", "text", "attachments")}
    return {"id": message["_id"], **fields, "created_at": timestamp(message["created_at"])}


def event(message: Document) -> dict[str, Any]:
    """The message as Kafka carries it."""
    return shown(message) | {"tenant_id": message["tenant_id"], "size_bytes": message["size_bytes"]}
