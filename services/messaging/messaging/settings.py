"""What this service reads from the environment."""

from __future__ import annotations

from pydantic import Field
from servicekit.settings import KafkaSettings, MongodbSettings, S3Settings


class Settings(MongodbSettings, KafkaSettings, S3Settings):
    """The backends, the limits on attachments, and the pace of the relay."""

    attachment_max_bytes: int = Field(25 * 1024 * 1024, gt=0)
    upload_expires_s: int = Field(900, gt=0)
    download_expires_s: int = Field(300, gt=0)
    # A message unpublished for longer than this is taken for left behind by a crash.
    relay_grace_s: float = Field(5.0, gt=0)
    # The longest pause between two searches for such messages.
    relay_max_pause_s: float = Field(30.0, gt=0)
