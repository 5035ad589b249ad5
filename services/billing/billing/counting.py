"""Counts what is said on Kafka: written first, committed afterwards, so nothing is missed; by id, so nothing twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError
from prometheus_client import Counter
from pydantic import ValidationError
from pymongo.errors import PyMongoError
from servicekit import kafka, logs
from servicekit.background import pause
from servicekit.events import MESSAGE_CREATED, MessageCreated
from servicekit.settings import KafkaSettings

from billing.store import Store

COUNTED = Counter("usage_messages_total", "Messages counted.")
REPEATED = Counter("usage_messages_repeated_total", "Messages that were counted before and came again.")
UNREADABLE = Counter("usage_records_unreadable_total", "Records skipped because they are no message.", ["topic"])
# Small enough for a slow disk to write within MongoDB's time limit, one by one if need be.
MAX_RECORDS = 100
log = logging.getLogger(__name__)


class Counting:
    """One member of the consumer group `billing`."""

    def __init__(self, settings: KafkaSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Count until `stop` is set; raises when Kafka fails, and may then be called again."""
        consumer = kafka.consumer(self._settings, "billing", MESSAGE_CREATED, group="billing")
        try:
            await consumer.start()
            self._consumer = consumer
            while not stop.is_set():
                await self.round(consumer, stop)
        finally:
            self._consumer = None
            await kafka.stop(consumer)  # leaves the group, so that another member goes on at once

    async def round(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        """Read some records, write what they say, and commit."""
        batches = await consumer.getmany(timeout_ms=250, max_records=MAX_RECORDS)
        records = [record for batch in batches.values() for record in batch]
        if not records or not await self.count(records, stop):
            return
        try:
            await consumer.commit({partition: batch[-1].offset + 1 for partition, batch in batches.items()})
        except (CommitFailedError, IllegalStateError) as error:
            # The partitions went to another member, which reads these records again and finds them counted.
            log.info("not committed: %s", error)

    async def count(self, records: Sequence[Any], stop: asyncio.Event) -> bool:
        """Write what the records say, however long MongoDB takes; False when `stop` came first."""
        messages = list(readable(records))
        backoff_s = 0.1
        while messages:
            try:
                new = await self._store.count(messages)
            except PyMongoError as error:
                if stop.is_set():
                    return False
                log.warning("not counted, again in %.1f s: %s: %s", backoff_s, type(error).__name__, error)
                await pause(stop, backoff_s)
                backoff_s = min(2 * backoff_s, 5.0)
            else:
                COUNTED.inc(new)
                REPEATED.inc(len(messages) - new)
                break
        return True

    async def check(self) -> None:
        """Raise unless a broker answers."""
        await kafka.check(self._consumer)


def readable(records: Iterable[Any]) -> Iterable[MessageCreated]:
    """The messages in the records; others are logged, counted and passed over, for they would block those behind."""
    for record in records:
        token = logs.request_id.set(kafka.request_id_of(record))
        where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        try:
            message = MessageCreated.model_validate_json(record.value or b"")
            log.info("counting message %s", message.id, extra=where)
            yield message
        except ValidationError as error:
            UNREADABLE.labels(record.topic).inc()
            problem = error.errors(include_input=False)[0]
            log.error("not a message: %s: %s", problem["loc"], problem["msg"], extra=where)
        finally:
            logs.request_id.reset(token)
