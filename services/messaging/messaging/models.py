"""Request bodies."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Sender = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
FileName = Annotated[str, StringConstraints(pattern=r"^[^/\\\x00-\x1f\x7f]{1,255}$")]
ContentType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*$", max_length=100)]


class Body(BaseModel):
    """A body with no fields beside those named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewConversation(Body):
    """POST /v1/conversations."""

    title: Title


class NewAttachment(Body):
    """POST /v1/conversations/{id}/attachments."""

    file_name: FileName
    content_type: ContentType
    size_bytes: int = Field(gt=0)


class NewMessage(Body):
    """POST /v1/messages."""

    conversation_id: Identifier
    sender: Sender
    text: str = Field("", max_length=4000)
    attachment_ids: list[Identifier] = Field([], max_length=10)

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """A message has text, an attachment, or both."""
        if not self.text.strip() and not self.attachment_ids:
            raise ValueError("a message needs text or an attachment")
        return self
