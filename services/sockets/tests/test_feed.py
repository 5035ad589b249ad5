"""The feed, on a consumer that keeps its records in lists."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from sockets.feed import Feed

from services.sockets.tests.records import record

ZERO, ONE = TopicPartition("t", 0), TopicPartition("t", 1)


class Cluster:
    """A topic with its partitions; makes consumers as aiokafka's behave without a group."""

    def __init__(self):
        self.log = {}
        self.consumers = []
        self.failure = None

    def make_consumer(self):
        self.consumers.append(Consumer(self))
        return self.consumers[-1]

    def write(self, partition, *ids):
        records = self.log.setdefault(partition, [])
        for id in ids:
            records.append(replace(record(id), offset=len(records), partition=partition.partition))


@dataclass
class Consumer:
    cluster: Cluster
    stopped: bool = False

    async def start(self):
        self.positions = {}

    async def stop(self):
        self.stopped = True

    def assign(self, partitions):
        self.positions = dict.fromkeys(partitions)  # an assignment forgets all positions, as aiokafka's does

    async def topics(self):
        return {partition.topic for partition in self.cluster.log}

    def partitions_for_topic(self, topic):
        return {one.partition for one in self.cluster.log} or None

    async def end_offsets(self, partitions):
        return {one: len(self.cluster.log[one]) for one in partitions}

    def seek(self, partition, offset):
        assert partition in self.positions
        self.positions[partition] = offset

    async def getmany(self, timeout_ms, max_records):
        await asyncio.sleep(0)
        if self.cluster.failure:
            raise self.cluster.failure
        found = {}
        for partition, position in self.positions.items():
            records = self.cluster.log.get(partition, [])[position:]
            if records:
                found[partition] = records
                self.positions[partition] = position + len(records)
        return found


@pytest.fixture
def cluster():
    return Cluster()


@pytest.fixture
def seen():
    return []


@pytest.fixture
async def feed(cluster, seen):
    feed = Feed(cluster.make_consumer, "t", lambda record: seen.append((record.partition, record.offset)))
    stop = asyncio.Event()
    feed.task = asyncio.create_task(feed.run(stop))
    yield feed
    stop.set()
    await asyncio.gather(feed.task, return_exceptions=True)
    assert all(consumer.stopped for consumer in cluster.consumers)


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_reading_begins_at_the_end(cluster, feed, seen):
    cluster.write(ZERO, "old", "older")
    await until(lambda: feed.is_assigned)
    cluster.write(ZERO, "new")
    await until(lambda: seen)
    assert seen == [(0, 2)]


async def test_a_partition_that_comes_later_is_read_whole_and_no_other_twice(cluster, feed, seen):
    cluster.write(ZERO, "a")
    await until(lambda: feed.is_assigned)
    cluster.write(ZERO, "b")
    cluster.write(ONE, "c", "d")
    await until(lambda: len(seen) == 3)
    cluster.write(ZERO, "e")
    await until(lambda: len(seen) == 4)
    assert seen == [(0, 1), (1, 0), (1, 1), (0, 2)]


async def test_a_topic_that_does_not_exist_yet_is_waited_for(cluster, feed, seen):
    await asyncio.sleep(0)
    assert not feed.is_assigned
    with pytest.raises(ConnectionError, match="`t`"):
        await feed.check()
    cluster.write(ZERO, "first")
    await until(lambda: feed.is_assigned)
    await feed.check()


async def test_after_an_outage_reading_goes_on_where_it_stopped(cluster, feed, seen):
    cluster.write(ZERO, "before")
    await until(lambda: feed.is_assigned)
    cluster.failure = KafkaConnectionError("gone")
    with pytest.raises(KafkaConnectionError):
        await feed.task
    with pytest.raises(ConnectionError):
        await feed.check()
    cluster.write(ZERO, "meanwhile")
    cluster.write(ONE, "meanwhile, elsewhere")
    cluster.failure = None
    feed.task = asyncio.create_task(feed.run(stop := asyncio.Event()))
    await until(lambda: len(seen) == 2)
    assert sorted(seen) == [(0, 1), (1, 0)]
    stop.set()
    await feed.task


async def test_the_clients_have_a_turn_between_the_records_of_a_burst(cluster, seen):
    turns = []

    async def client():
        while True:
            turns.append(len(seen))
            await asyncio.sleep(0)

    feed = Feed(cluster.make_consumer, "t", lambda record: seen.append(record.offset))
    cluster.write(ZERO)
    cluster.log[ZERO] = []
    stop = asyncio.Event()
    running = asyncio.create_task(feed.run(stop))
    await until(lambda: feed.is_assigned)
    watching = asyncio.create_task(client())
    cluster.write(ZERO, *map(str, range(100)))
    await until(lambda: len(seen) == 100)
    assert set(range(1, 100)) <= set(turns)
    watching.cancel()
    stop.set()
    await running
