"""The rate limit: the real script, on a fake Redis that runs Lua."""

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from gateway.best_effort import BestEffort
from gateway.keys import Key
from gateway.limits import RateLimit

NAME = "test:rate:" + "d" * 64


def key(rate_per_minute, digest="d" * 64):
    return Key(digest, "acme", "laptop", rate_per_minute)


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
async def redis(server):
    client = FakeAsyncRedis(server=server, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
def limit(redis):
    return RateLimit(redis, BestEffort(lambda: 0.0, timeout_s=1, rest_s=1), prefix="test:", burst_s=600)


async def pass_time(redis, seconds):
    """What is stored is a moment, so moving it back is the same as waiting."""
    await redis.set(NAME, int(await redis.get(NAME)) - int(seconds * 1_000_000), keepttl=True)


async def test_a_burst_passes_and_then_the_rate_holds(limit, redis):
    one_a_minute = key(1)  # so slow that the time this test takes does not matter; burst_s is worth ten
    assert [await limit.wait_s(one_a_minute) for _ in range(10)] == [0] * 10
    wait_s = await limit.wait_s(one_a_minute)
    assert 55 < wait_s <= 60
    await pass_time(redis, wait_s)
    assert await limit.wait_s(one_a_minute) == 0
    assert await limit.wait_s(one_a_minute) > 55


async def test_a_refused_request_costs_nothing(limit, redis):
    for _ in range(10):
        await limit.wait_s(key(1))
    stored = await redis.get(NAME)
    for _ in range(5):
        await limit.wait_s(key(1))
    assert await redis.get(NAME) == stored


async def test_a_quiet_key_gets_its_burst_back_and_no_more(limit, redis):
    for _ in range(10):
        await limit.wait_s(key(1))
    await pass_time(redis, 86_400)
    waits = [await limit.wait_s(key(1)) for _ in range(11)]
    assert waits[:10] == [0] * 10
    assert waits[10] > 0


async def test_keys_do_not_share_a_budget(limit):
    assert await limit.wait_s(key(0)) == 0
    assert await limit.wait_s(key(0, "e" * 64)) == 0


async def test_the_stored_moment_keeps_its_microseconds_and_expires(limit, redis):
    await limit.wait_s(key(1))
    assert len(await redis.get(NAME)) == 16
    assert 50 < await redis.ttl(NAME) <= 60


@pytest.mark.parametrize("rate", [0, -5])
async def test_a_rate_that_makes_no_sense_is_the_lowest(limit, rate):
    waits = [await limit.wait_s(key(rate)) for _ in range(11)]
    assert waits[10] > 50


async def test_without_redis_nothing_is_limited(limit, server):
    server.connected = False
    assert [await limit.wait_s(key(1)) for _ in range(50)] == [0] * 50
