"""Presence in Redis; the fake is told the time."""

import asyncio

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from redis.exceptions import ConnectionError as RedisConnectionError
from sockets.hub import Conversation
from sockets.presence import BATCH, FAILURES, Presence

A, B = Conversation("acme", "a"), Conversation("acme", "b")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
async def redis(server):
    client = FakeAsyncRedis(server=server, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def presence(redis, clock):
    return Presence(redis, clock, prefix="test:", ttl_s=30, timeout_s=1)


async def test_members_of_several_replicas_add_up(presence, redis, clock):
    other = Presence(redis, clock, prefix="test:", ttl_s=30, timeout_s=1)
    await presence.enter({A: ["1", "2"], B: ["1"]})
    await other.enter({A: ["3"]})
    assert (await presence.count(A), await other.count(B)) == (3, 1)


async def test_who_leaves_is_gone_at_once(presence):
    await presence.enter({A: ["1", "2"], B: ["1"]})
    await presence.leave([A, B], "1")
    assert (await presence.count(A), await presence.count(B)) == (1, 0)


async def test_members_of_a_replica_that_crashed_expire(presence, clock):
    await presence.enter({A: ["of the dead"]})
    clock.now += 20
    await presence.enter({A: ["of the living"]})
    assert await presence.count(A) == 2
    clock.now += 11
    assert await presence.count(A) == 1


async def test_expired_members_take_no_room(presence, redis, clock):
    await presence.enter({A: [str(number) for number in range(50)]})
    clock.now += 31
    await presence.enter({A: ["new"]})
    assert await redis.zrange("test:presence:acme:a", 0, -1) == ["new"]


async def test_the_key_of_a_deserted_conversation_expires(presence, redis):
    await presence.enter({A: ["1"]})
    assert 0 < await redis.ttl("test:presence:acme:a") <= 60


async def test_more_conversations_than_a_round_trip_takes_are_all_written(presence):
    many = {Conversation("acme", str(number)): ["1"] for number in range(BATCH + 1)}
    await presence.enter(many)
    assert [await presence.count(one) for one in many] == [1] * len(many)


async def test_refreshing_writes_everything_again_after_redis_lost_it(presence, redis):
    stop = asyncio.Event()
    rounds = []

    def online():
        rounds.append(1)
        stop.set()
        return {A: ["1"]}

    await presence.enter({A: ["1"]})
    await redis.flushall()
    await presence.refresh(online, stop)
    assert await presence.count(A) == 1
    assert rounds == [1]


async def test_a_stream_goes_on_while_redis_is_away_and_the_outage_is_counted(presence, server):
    before = FAILURES._value.get()
    server.connected = False
    await presence.enter({A: ["1"]})
    await presence.leave([A], "1")
    assert FAILURES._value.get() == before + 2
    with pytest.raises(RedisConnectionError):
        await presence.count(A)
    server.connected = True
    await presence.enter({A: ["1"]})
    assert await presence.count(A) == 1
