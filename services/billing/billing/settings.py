"""What this service reads from the environment."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field
from servicekit.settings import KafkaSettings, MongodbSettings, S3Settings


class Settings(MongodbSettings, KafkaSettings, S3Settings):
    """The backends, and what a message costs."""

    billing_price_per_message_cents: Decimal = Field(Decimal(1), ge=0)
    billing_currency: str = Field("EUR", pattern="^[A-Z]{3}$")
    # How long after a month's end its messages may still arrive; then its invoice is final.
    billing_grace_s: float = Field(3600.0, ge=0)
    invoice_link_expires_s: int = Field(300, gt=0)
