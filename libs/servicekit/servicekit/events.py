"""What is said on Kafka, and its JSON."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

MESSAGE_CREATED = "message.created"


class Attachment(BaseModel):
    """A file that belongs to a message."""

    id: str
    file_name: str
    content_type: str
    size_bytes: int


class MessageCreated(BaseModel):
    """A message was written. Keyed by conversation, delivered at least once: ignore an `id` seen before."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, max_length=128)
    tenant_id: str = Field(min_length=1, max_length=128)
    conversation_id: str = Field(min_length=1, max_length=128)
    sender: str
    text: str
    attachments: list[Attachment] = []
    created_at: AwareDatetime
    size_bytes: int = Field(ge=0, lt=2**40)


def timestamp(moment: datetime) -> str:
    """An aware moment as RFC 3339 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
