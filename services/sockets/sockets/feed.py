"""The feed from Kafka: every partition of the topic, read by every replica, from the moment it starts.

No consumer group: a group would give each message to one replica, and its listeners may be on any. The position is
kept in memory, also over a reconnection, so an outage of Kafka delays messages and loses none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from servicekit import kafka
from servicekit.background import pause

log = logging.getLogger(__name__)


class Feed:
    """Hands each record of `topic` to `deliver`, which neither waits nor raises."""

    def __init__(
        self,
        make_consumer: Callable[[], AIOKafkaConsumer],
        topic: str,
        deliver: Callable[[ConsumerRecord[Any, Any]], None],
    ) -> None:
        self._make_consumer = make_consumer
        self._topic = topic
        self._deliver = deliver
        self._next: dict[TopicPartition, int] = {}
        self._consumer: AIOKafkaConsumer | None = None

    @property
    def is_assigned(self) -> bool:
        """Whether a message that is published now will be seen, be it after an outage."""
        return bool(self._next)

    async def check(self) -> None:
        """Ask Kafka for the ends of the partitions; raises while there are none or no broker answers."""
        if self._consumer is None:
            raise ConnectionError(f"no partition of topic `{self._topic}` is assigned yet")
        await self._consumer.end_offsets(list(self._next))

    async def run(self, stop: asyncio.Event) -> None:
        """Read until `stop`; after an error it may be run again and goes on where it was."""
        consumer = self._make_consumer()
        try:
            await consumer.start()
            await self._assign(consumer, stop)
            self._consumer = consumer
            while not stop.is_set():
                for partition, records in (await consumer.getmany(timeout_ms=500, max_records=500)).items():
                    for record in records:
                        self._deliver(record)
                        # The clients' turn: a burst must not fill the queue of one that reads well.
                        await asyncio.sleep(0)
                    self._next[partition] = records[-1].offset + 1
                if self._partitions(consumer) - self._next.keys():
                    await self._assign(consumer, stop)
        finally:
            self._consumer = None
            await kafka.stop(consumer)

    async def _assign(self, consumer: AIOKafkaConsumer, stop: asyncio.Event) -> None:
        """Take all partitions: the first ones from now on, later ones whole, known ones from where reading stopped."""
        while self._topic not in await consumer.topics() and not stop.is_set():
            await pause(stop, 0.2)
        # An assignment makes the client follow the topic's metadata; partition 0 is always there.
        consumer.assign([TopicPartition(self._topic, 0)])
        while not (partitions := self._partitions(consumer)) and not stop.is_set():
            await pause(stop, 0.05)
        consumer.assign(list(partitions))
        if not self._next:
            self._next = dict(await consumer.end_offsets(list(partitions)))
        for partition in partitions:
            consumer.seek(partition, self._next.setdefault(partition, 0))
        log.info("reading %d partitions of topic %s", len(partitions), self._topic)

    def _partitions(self, consumer: AIOKafkaConsumer) -> set[TopicPartition]:
        return {TopicPartition(self._topic, number) for number in consumer.partitions_for_topic(self._topic) or ()}
