import asyncio
import json
from types import SimpleNamespace

import pytest
from aiokafka.errors import CommitFailedError
from billing.counting import Counting
from prometheus_client import REGISTRY
from pymongo.errors import AutoReconnect
from servicekit import kafka, logs


class Consumer:
    """Gives the batches, then nothing; notes what was committed."""

    def __init__(self, *batches, commit_error=None):
        self.batches, self.committed, self.commit_error = list(batches), [], commit_error

    async def getmany(self, timeout_ms, max_records):
        return self.batches.pop(0) if self.batches else {}

    async def commit(self, offsets):
        if self.commit_error:
            raise self.commit_error
        self.committed.append(offsets)


def record(value, offset=0):
    value = value if isinstance(value, bytes | None) else value.model_dump_json().encode()
    headers = tuple(kafka.headers("r-1"))
    return SimpleNamespace(value=value, headers=headers, topic="message.created", partition=0, offset=offset)


def unreadable():
    return REGISTRY.get_sample_value("usage_records_unreadable_total", {"topic": "message.created"}) or 0


@pytest.fixture
def counting(settings, store):
    return Counting(settings, store)


@pytest.fixture
def stop():
    return asyncio.Event()


async def test_each_message_is_counted_once_however_often_it_comes(counting, store, message, stop):
    records = [record(message("a")), record(message("b")), record(message("a"))]
    assert await counting.count(records, stop)
    assert await counting.count(records, stop)
    assert sorted(store.events) == ["a", "b"]


async def test_offsets_are_committed_after_the_write(counting, store, message, stop):
    consumer = Consumer({"p0": [record(message("a"), 7), record(message("b"), 8)], "p1": [record(message("c"), 3)]})
    await counting.round(consumer, stop)
    assert sorted(store.events) == ["a", "b", "c"]
    assert consumer.committed == [{"p0": 9, "p1": 4}]


async def test_an_outage_of_mongodb_is_waited_for_without_losing_the_place(counting, store, message, stop):
    store.failures = [AutoReconnect("gone")]
    consumer = Consumer({"p0": [record(message("a"), 7)]})
    await counting.round(consumer, stop)
    assert (sorted(store.events), store.calls, consumer.committed) == (["a"], 2, [{"p0": 8}])


async def test_a_stop_during_an_outage_commits_nothing(counting, store, message, stop):
    store.failures = [AutoReconnect("gone")] * 2
    consumer = Consumer({"p0": [record(message("a"), 7)]})
    stop.set()
    await counting.round(consumer, stop)
    assert (store.events, consumer.committed) == ({}, [])


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff\xfe", b"[]", json.dumps({"id": "a"}).encode()])
async def test_what_is_no_message_is_counted_apart_and_passed_over(counting, store, message, stop, value):
    before = unreadable()
    consumer = Consumer({"p0": [record(value, 7), record(message("b"), 8)]})
    await counting.round(consumer, stop)
    assert (sorted(store.events), consumer.committed) == (["b"], [{"p0": 9}])
    assert unreadable() == before + 1


async def test_nothing_but_unreadable_records_still_moves_on(counting, store, stop):
    consumer = Consumer({"p0": [record(b"{", 7)]})
    await counting.round(consumer, stop)
    assert (store.calls, consumer.committed) == (0, [{"p0": 8}])


async def test_nothing_to_read_commits_nothing(counting, stop):
    consumer = Consumer()
    await counting.round(consumer, stop)
    assert consumer.committed == []


async def test_partitions_that_moved_away_are_no_failure(counting, store, message, stop):
    consumer = Consumer({"p0": [record(message("a"))]}, commit_error=CommitFailedError())
    await counting.round(consumer, stop)
    assert sorted(store.events) == ["a"]


async def test_the_log_carries_the_request_id_of_the_message(counting, message, stop, caplog):
    seen = []
    caplog.handler.addFilter(lambda line: seen.append((line.getMessage(), logs.request_id.get())) or True)
    with caplog.at_level("INFO"):
        await counting.count([record(message("a"))], stop)
    assert ("counting message a", "r-1") in seen
    assert logs.request_id.get() == ""
