import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from messaging.relay import BATCH, MAX_WAITING, Relay
from messaging.store import now


class Kafka:
    """Notes what was published, and how often a connection was made; raises `failing` while it is set."""

    def __init__(self):
        self.published, self.connections, self.failing = [], 0, None

    @asynccontextmanager
    async def connect(self):
        self.connections += 1
        yield self.publish

    async def publish(self, messages):
        if self.failing:
            raise self.failing
        self.published += [each["_id"] for each in messages]


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.time = 0.0

    def __call__(self):
        return self.time


@pytest.fixture
def kafka():
    return Kafka()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def relay(store, kafka, clock):
    return Relay(store, kafka.connect, "me", grace_s=5, max_pause_s=30, clock=clock)


def message(name, age_s=0.0):
    since = now() - timedelta(seconds=age_s)
    return {"_id": name, "position": name, "unpublished_since": since}


async def put(store, *messages):
    for each in messages:
        await store.add_message(each)


async def run_until(relay, condition):
    """Run the relay until the condition holds, then stop it as a shutdown does."""
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    async with asyncio.timeout(5):
        while not condition() and not running.done():
            await asyncio.sleep(0)
        stop.set()
        await running


async def run_once(relay):
    """Let the relay do what is due now."""
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    for _ in range(5):  # nothing here waits for anything outside, so a few turns of the loop are enough
        await asyncio.sleep(0)
    stop.set()
    await running


async def test_an_offered_message_is_published_then_marked(store, kafka, relay):
    await put(store, message("a"))
    relay.offer(message("a"))
    await run_until(relay, lambda: store.marked)
    assert (kafka.published, store.marked) == (["a"], ["a"])
    assert store.messages_["a"]["unpublished_since"] is None


async def test_order_is_kept_over_batches(store, kafka, relay):
    names = [f"{number:04}" for number in range(3 * BATCH)]
    for name in names:
        relay.offer(message(name))
    await run_until(relay, lambda: len(store.marked) == len(names))
    assert kafka.published == names


async def test_what_waits_at_the_stop_is_published_first(kafka, relay):
    stop = asyncio.Event()
    stop.set()
    relay.offer(message("a"))
    await relay.run(stop)
    assert kafka.published == ["a"]


async def test_a_failure_of_kafka_loses_nothing_and_keeps_order(kafka, relay):
    relay.offer(message("a"))
    relay.offer(message("b"))
    kafka.failing = ConnectionError("broker gone")
    with pytest.raises(ConnectionError):
        await relay.run(asyncio.Event())
    kafka.failing = None
    relay.offer(message("c"))
    await run_until(relay, lambda: len(kafka.published) == 3)
    assert (kafka.published, kafka.connections) == (["a", "b", "c"], 2)


async def test_a_failure_of_mongodb_does_not_publish_twice(store, kafka, relay):
    relay.offer(message("a"))
    store.failing = ConnectionError("MongoDB gone")
    with pytest.raises(ConnectionError):
        await relay.run(asyncio.Event())
    store.failing = None
    await run_until(relay, lambda: store.marked)
    assert (kafka.published, store.marked) == (["a"], ["a"])


async def test_what_a_crash_left_behind_is_swept_in_order(store, kafka, relay):
    await put(store, message("b", age_s=10), message("a", age_s=10), message("fresh"))
    await run_until(relay, lambda: len(store.marked) == 2)
    assert kafka.published == ["a", "b"]


async def test_more_than_a_batch_left_behind_is_swept_at_once(store, kafka, relay):
    await put(store, *(message(f"{number:04}", age_s=10) for number in range(2 * BATCH + 1)))
    await run_until(relay, lambda: len(store.marked) == 2 * BATCH + 1)
    assert kafka.published == sorted(kafka.published)


async def test_a_lease_of_another_does_not_make_sweeps_seldom(store, kafka, relay, clock):
    store.leases["relay"] = "one that was killed"
    for second in range(0, 60, 5):
        clock.time = float(second)
        await run_once(relay)
    store.leases.clear()
    await put(store, message("a", age_s=10))
    clock.time = 60.0
    await run_once(relay)
    assert kafka.published == ["a"]


async def test_sweeps_become_seldom_while_nothing_is_left_behind(store, relay, clock):
    sweeps = []
    unpublished = store.unpublished

    async def noted(older_than_s, limit):
        sweeps.append(clock.time)
        return await unpublished(older_than_s, limit)

    store.unpublished = noted
    for second in range(100):
        clock.time = float(second)
        await run_once(relay)
    assert sweeps == [0, 5, 15, 35, 65, 95]

    await put(store, message("a", age_s=10))
    for second in range(100, 132):
        clock.time = float(second)
        await run_once(relay)
    assert sweeps[6:] == [125, 130]


async def test_one_replica_sweeps_at_a_time(store, kafka, relay):
    store.leases["relay"] = "another"
    await put(store, message("a", age_s=10))
    relay.offer(message("b"))
    await run_until(relay, lambda: store.marked)
    assert kafka.published == ["b"]


async def test_a_sweep_waits_after_a_failure_for_the_writers_to_go_first(store, kafka, relay, clock):
    kafka.failing = ConnectionError("broker gone")
    relay.offer(message("a"))
    with pytest.raises(ConnectionError):
        await relay.run(asyncio.Event())
    kafka.failing = None
    await put(store, message("theirs", age_s=10))
    clock.time = 4.0
    await run_until(relay, lambda: store.marked)
    assert kafka.published == ["a"]
    clock.time = 5.0
    await run_until(relay, lambda: len(kafka.published) == 2)
    assert kafka.published == ["a", "theirs"]


async def test_more_messages_than_fit_are_left_to_the_sweep(kafka, relay, store):
    for number in range(MAX_WAITING + 1):
        relay.offer(message(f"{number:05}"))
    await run_until(relay, lambda: len(store.marked) == MAX_WAITING)
    assert len(kafka.published) == MAX_WAITING


async def test_a_stop_ends_an_idle_relay_at_once(relay):
    await run_until(relay, lambda: True)
