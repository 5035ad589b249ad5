"""From a Kafka record to the frames of those who listen."""

from __future__ import annotations

import json
import logging
from typing import Any

from aiokafka import ConsumerRecord
from prometheus_client import Counter
from pydantic import ValidationError
from servicekit.events import MESSAGE_CREATED, MessageCreated, timestamp
from servicekit.kafka import request_id_of

from sockets.hub import Conversation, Hub
from sockets.recent import Recent

RECORDS = Counter("sockets_records_total", "Records read from Kafka, by what became of them.", ["outcome"])
# What a listener is shown: the message as GET /v1/messages/{id} gives it.
SHOWN = {"id", "conversation_id", "sender", "text", "attachments"}
log = logging.getLogger(__name__)


class Delivery:
    """Publishes each message once to the listeners of its conversation, however often Kafka delivers it."""

    def __init__(self, hub: Hub, recent: Recent) -> None:
        self._hub = hub
        self._recent = recent

    def __call__(self, record: ConsumerRecord[Any, Any]) -> None:
        """Deliver a record; one that is no message is logged and passed over, since asking again would not help."""
        try:
            message = MessageCreated.model_validate_json(record.value)
        except ValidationError as error:
            RECORDS.labels("unreadable").inc()
            where = f"{record.topic}/{record.partition}@{record.offset}"
            log.error("record %s is no message: %s", where, error.errors(include_input=False, include_url=False))
            return
        if not self._recent.is_new(message.id):
            RECORDS.labels("duplicate").inc()
            return
        RECORDS.labels("delivered").inc()
        listeners = self._hub.publish(Conversation(message.tenant_id, message.conversation_id), frame_of(message))
        if listeners:
            fields = {"request_id": request_id_of(record), "message_id": message.id, "listeners": listeners}
            log.info("message delivered", extra=fields)


def frame_of(message: MessageCreated) -> str:
    """What a listener is sent."""
    shown = message.model_dump(mode="json", include=SHOWN) | {"created_at": timestamp(message.created_at)}
    return json.dumps({"type": MESSAGE_CREATED, "message": shown}, ensure_ascii=False)
