"""Attachments: the file goes from the client to the store by a presigned link, never through this service."""

from __future__ import annotations

from typing import Any

from servicekit.ids import time_ordered_id
from servicekit.problems import Problem
from servicekit.s3 import Bucket

from messaging.messages import conversation_of
from messaging.models import NewAttachment
from messaging.settings import Settings
from messaging.store import Document, Store, now

SHOWN = ("file_name", "content_type", "size_bytes")


async def announce(
    store: Store, bucket: Bucket, settings: Settings, tenant_id: str, conversation_id: str, new: NewAttachment
) -> dict[str, Any]:
    """Record the attachment and say where its file goes; raises `Problem` 404, 413."""
    if new.size_bytes > settings.attachment_max_bytes:
        raise Problem(413, f"An attachment may have at most {settings.attachment_max_bytes} bytes.")
    await conversation_of(store, tenant_id, conversation_id)
    attachment_id = time_ordered_id()
    attachment: Document = {
        "_id": attachment_id,
        "tenant_id": tenant_id,
        "conversation_id": conversation_id,
        "key": f"{tenant_id}/{conversation_id}/{attachment_id}",
        **new.model_dump(),
        "created_at": now(),
    }
    await store.add_attachment(attachment)
    expires_in_s = settings.upload_expires_s
    return {
        "id": attachment_id,
        "upload_url": await bucket.upload_url(attachment["key"], new.content_type, new.size_bytes, expires_in_s),
        "upload_headers": {"Content-Type": new.content_type},
        "expires_in_s": expires_in_s,
    }


async def show(
    store: Store, bucket: Bucket, settings: Settings, tenant_id: str, conversation_id: str, attachment_id: str
) -> dict[str, Any]:
    """The attachment with a link to its file; raises a 404 `Problem`."""
    found = await store.attachment(attachment_id)
    if found is None or (found["tenant_id"], found["conversation_id"]) != (tenant_id, conversation_id):
        raise Problem(404, f"The conversation has no attachment {attachment_id}.")
    url = await bucket.download_url(found["key"], found["file_name"], settings.download_expires_s)
    return {"id": found["_id"], **{name: found[name] for name in SHOWN}, "download_url": url}
