"""Putting messages on Kafka."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from prometheus_client import Counter
from servicekit import kafka
from servicekit.events import MESSAGE_CREATED
from servicekit.settings import KafkaSettings

from messaging.messages import event
from messaging.relay import Publish
from messaging.store import Document

PUBLISHED = Counter("messages_published_total", "Messages put on Kafka, repetitions included.")


class Publisher:
    """Makes a producer for as long as it works; a failed one is replaced, because its state is unknown."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topic = settings.topic(MESSAGE_CREATED)
        self._producer: AIOKafkaProducer | None = None

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Publish]:
        """A started producer's way to publish; flushed and closed at the end."""
        producer = kafka.producer(self._settings, "messaging")
        try:
            await producer.start()
            await producer.partitions_for(self._topic)  # known from now on, so that an outage only makes a send wait
            self._producer = producer
            yield self._publish
        finally:
            self._producer = None
            await kafka.stop(producer)

    async def _publish(self, messages: Sequence[Document]) -> None:
        """Return when every message is acknowledged by Kafka; sent in order, so each conversation stays in order."""
        assert self._producer is not None
        # No time limit: the producer tries again by itself, which keeps the order and doubles nothing.
        acknowledged = [
            await self._producer.send(
                self._topic,
                json.dumps(event(message), ensure_ascii=False).encode(),
                key=message["conversation_id"].encode(),
                headers=kafka.headers(message["request_id"]),
            )
            for message in messages
        ]
        await asyncio.gather(*acknowledged)
        PUBLISHED.inc(len(messages))

    async def check(self) -> None:
        """Raise unless a broker answers."""
        await kafka.check(self._producer)
