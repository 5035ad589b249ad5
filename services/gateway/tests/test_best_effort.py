"""Doing without Redis."""

import asyncio

import pytest
from gateway.best_effort import SKIPPED, BestEffort
from redis.exceptions import ConnectionError as RedisConnectionError


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self):
        return self.now


class Server:
    """Answers, fails or hangs, and counts how often it was asked."""

    def __init__(self):
        self.asked = 0
        self.mood = "well"

    async def ask(self):
        self.asked += 1
        if self.mood == "failing":
            raise RedisConnectionError("refused")
        if self.mood == "hanging":
            await asyncio.sleep(3600)
        return "answer"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def redis():
    return Server()


@pytest.fixture
def best_effort(clock):
    return BestEffort(clock, timeout_s=0.01, rest_s=2)


async def test_an_answer_passes(best_effort, redis):
    assert await best_effort.attempt("cache_read", redis.ask) == "answer"


@pytest.mark.parametrize("mood", ["failing", "hanging"])
async def test_no_answer_is_none_and_redis_is_left_alone_for_a_while(best_effort, redis, clock, mood):
    redis.mood = mood
    before = SKIPPED.labels("limit")._value.get()
    assert [await best_effort.attempt("limit", redis.ask) for _ in range(5)] == [None] * 5
    assert redis.asked == 1
    assert SKIPPED.labels("limit")._value.get() == before + 5
    clock.now += 2
    redis.mood = "well"
    assert await best_effort.attempt("limit", redis.ask) == "answer"
    assert await best_effort.attempt("limit", redis.ask) == "answer"


async def test_only_one_request_tries_whether_redis_is_back(best_effort, redis, clock):
    redis.mood = "failing"
    await best_effort.attempt("limit", redis.ask)
    clock.now += 2
    redis.mood = "hanging"
    await asyncio.gather(*(best_effort.attempt("limit", redis.ask) for _ in range(10)))
    assert redis.asked == 2


async def test_a_mistake_in_our_own_code_is_not_taken_for_an_outage(best_effort):
    async def mistake():
        raise KeyError("ours")

    with pytest.raises(KeyError):
        await best_effort.attempt("limit", mistake)
