"""Kafka records as `messaging` writes them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Record:
    """The part of a ConsumerRecord that is read."""

    value: bytes
    offset: int = 0
    partition: int = 0
    topic: str = "message.created"
    headers: tuple[tuple[str, bytes], ...] = (("request_id", b"r-1"),)


def record(id: str = "m-1", *, conversation: str = "c-1", tenant: str = "acme", **fields: Any) -> Record:
    """A message's record."""
    message = {
        "id": id,
        "tenant_id": tenant,
        "conversation_id": conversation,
        "sender": "ada",
        "text": "hello",
        "attachments": [],
        "created_at": "2026-11-23T10:00:00.123Z",
        "size_bytes": 5,
    }
    return Record(json.dumps(message | fields).encode())
