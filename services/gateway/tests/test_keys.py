"""API keys: MongoDB, with Redis before it."""

import asyncio
from hashlib import sha256

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from gateway.best_effort import BestEffort
from gateway.keys import Key, Keys

DIGEST = sha256(b"ck_secret").hexdigest()
DOCUMENT = {"_id": DIGEST, "tenant_id": "acme", "name": "laptop", "rate_per_minute": 60, "revoked_at": None}
KEY = Key(DIGEST, "acme", "laptop", 60)


class Documents:
    """A collection that remembers what it was asked."""

    def __init__(self, *documents):
        self.by_id = {document["_id"]: document for document in documents}
        self.asked = 0

    async def find_one(self, filter):
        assert list(filter) == ["_id"]
        self.asked += 1
        await asyncio.sleep(0)
        return self.by_id.get(filter["_id"])


@pytest.fixture
def documents():
    return Documents(DOCUMENT)


@pytest.fixture
def server():
    return FakeServer()


@pytest.fixture
async def redis(server):
    client = FakeAsyncRedis(server=server, decode_responses=True)
    yield client
    await client.aclose()


@pytest.fixture
def keys(documents, redis):
    best_effort = BestEffort(lambda: 0.0, timeout_s=1, rest_s=1)
    return Keys(documents, redis, best_effort, prefix="test:", ttl_s=60, unknown_ttl_s=5)


async def test_a_key_is_found_by_its_digest_and_asked_of_mongodb_once(keys, documents):
    assert [await keys.find("ck_secret"), await keys.find("ck_secret")] == [KEY, KEY]
    assert documents.asked == 1


async def test_an_unknown_key_is_remembered_too_but_not_for_long(keys, documents, redis):
    assert [await keys.find("ck_guess"), await keys.find("ck_guess")] == [None, None]
    assert documents.asked == 1
    assert 0 < await redis.ttl(f"test:key:{sha256(b'ck_guess').hexdigest()}") <= 5


async def test_a_known_key_is_remembered_for_a_minute(keys, redis):
    await keys.find("ck_secret")
    assert 50 < await redis.ttl(f"test:key:{DIGEST}") <= 60


async def test_redis_never_sees_the_key_itself(keys, redis):
    await keys.find("ck_secret")
    [name] = await redis.keys("*")
    assert "ck_secret" not in name + await redis.get(name)


async def test_a_revoked_key_is_no_key(keys, documents):
    documents.by_id[DIGEST] = DOCUMENT | {"revoked_at": "2026-11-23T10:00:00Z"}
    assert await keys.find("ck_secret") is None


@pytest.mark.parametrize("secret", ["", "x" * 201])
async def test_what_cannot_be_a_key_is_looked_up_nowhere(keys, documents, secret):
    assert await keys.find(secret) is None
    assert documents.asked == 0


async def test_without_redis_every_look_up_goes_to_mongodb(keys, documents, server):
    server.connected = False
    assert [await keys.find("ck_secret"), await keys.find("ck_guess")] == [KEY, None]
    assert documents.asked == 2


async def test_many_who_ask_for_one_key_at_once_are_one_question_to_mongodb(keys, documents, server):
    server.connected = False
    found = await asyncio.gather(*(keys.find("ck_secret") for _ in range(100)))
    assert found == [KEY] * 100
    assert documents.asked <= 2  # the first who asks learns before the others that Redis is away


async def test_a_request_that_is_given_up_takes_no_other_with_it(keys, documents):
    given_up, other = (asyncio.create_task(keys.find("ck_secret")) for _ in range(2))
    while not documents.asked:
        await asyncio.sleep(0)
    given_up.cancel()
    assert await other == KEY
    with pytest.raises(asyncio.CancelledError):
        await given_up
