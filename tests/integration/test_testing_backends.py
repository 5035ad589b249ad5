"""The handles of each kind, on this repository's own backends: clients, isolation, cleaning, damage, faults."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from devenv.testing import Isolation, Kafka, Minio, Mongodb, Redis
from devenv.testing.records import Record


def baseline(backend: Kafka | Minio | Mongodb | Redis) -> Record:
    """A record with what there is now, as the plugin takes it when a container is fresh."""
    return Record("x", "x", "x", "x", "x", "x", "x", {}, "x", backend.mark())


async def test_kafka_carries_a_message_to_a_group_of_the_test(kafka: Kafka, devenv_isolation: Isolation) -> None:
    topic = f"{devenv_isolation.topic_prefix}orders"
    kafka.create_topics(topic, partitions=3)
    async with kafka.producer() as producer:
        await producer.send_and_wait(topic, b"hello")
    group = f"{devenv_isolation.group_prefix}readers"
    async with kafka.consumer(topic, group_id=group, auto_offset_reset="earliest") as consumer:
        record = await consumer.getone()
        await consumer.commit()
    assert record.value == b"hello"


def test_kafka_cleans_what_is_under_a_prefix(kafka: Kafka) -> None:
    kafka.create_topics("tclean.one", "tclean.two", "tcleaner.stays")
    kafka.clean("tclean")
    assert {"tclean.one", "tclean.two", "tcleaner.stays"} & set(kafka.topics()) == {"tcleaner.stays"}
    kafka.clean("tcleaner")


# Joins a group, says so, and stays in it until it is killed.
MEMBER = """
import asyncio, json, sys
from aiokafka import AIOKafkaConsumer

async def main():
    options = json.loads(sys.argv[1])
    options |= {"group_id": "tgroups.killed", "session_timeout_ms": 60000}
    async with AIOKafkaConsumer("tgroups.orders", **options) as one:
        await one.getone()
        print("there", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_kafka_cleans_groups_with_their_offsets_and_with_members_that_were_killed(kafka: Kafka) -> None:
    kafka.create_topics("tgroups.orders", "tgroupsother.orders")
    options = {"auto_offset_reset": "earliest", "enable_auto_commit": False}
    async with kafka.producer() as producer:
        for topic in ("tgroups.orders", "tgroupsother.orders"):
            await producer.send_and_wait(topic, b"hello")
    for topic, group in (("tgroups.orders", "tgroups.left"), ("tgroupsother.orders", "tgroupsother.stays")):
        async with kafka.consumer(topic, group_id=group, **options) as consumer:
            await consumer.getone()
            await consumer.commit()
    words = [sys.executable, "-c", MEMBER, json.dumps({**kafka.options, **options})]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as member:
        try:
            assert member.stdout is not None and member.stdout.readline() == "there\n"
        finally:
            member.kill()
    assert kafka.groups("tgroups") == ["tgroups.killed", "tgroups.left", "tgroupsother.stays"]
    kafka.clean("tgroups")
    assert kafka.groups("tgroups") == ["tgroupsother.stays"]
    kafka.clean("tgroupsother")
    assert kafka.groups("tgroups") == []


@pytest.mark.devenv_alone
async def test_kafka_notices_a_changed_setting(kafka: Kafka) -> None:
    before = baseline(kafka).baseline
    assert kafka.damage(before) == ""
    kafka.execute("/opt/kafka/bin/kafka-configs.sh", "--bootstrap-server", "127.0.0.1:9094", "--alter",
                  "--entity-type", "brokers", "--entity-name", "1", "--add-config", "message.max.bytes=2000000")
    assert kafka.damage(before) == "its settings were changed"


async def test_kafka_is_whole_again(kafka: Kafka) -> None:
    assert "message.max.bytes" not in kafka.mark()["settings"]


def test_kafka_keeps_its_messages_through_a_crash(kafka: Kafka, devenv_isolation: Isolation) -> None:
    topic = f"{devenv_isolation.topic_prefix}kept"
    kafka.create_topics(topic)
    with kafka.kill():
        pass
    assert topic in kafka.topics()


def test_minio_stores_an_object(minio: Minio, devenv_isolation: Isolation) -> None:
    bucket = f"{devenv_isolation.bucket_prefix}files"
    with closing(minio.client()) as client:
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="a/b", Body=b"x" * 1000)
        assert client.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"x" * 1000


def test_minio_cleans_buckets_with_versions_and_unfinished_uploads(minio: Minio) -> None:
    with closing(minio.client()) as client:
        client.create_bucket(Bucket="tclean-files")
        client.put_bucket_versioning(Bucket="tclean-files", VersioningConfiguration={"Status": "Enabled"})
        for body in (b"1", b"2"):
            client.put_object(Bucket="tclean-files", Key="k", Body=body)
        client.delete_object(Bucket="tclean-files", Key="k")
        client.create_multipart_upload(Bucket="tclean-files", Key="large")
        minio.clean("tclean")
        assert "tclean-files" not in [one["Name"] for one in client.list_buckets()["Buckets"]]


@pytest.mark.devenv_alone
def test_minio_notices_a_lost_bucket(minio: Minio) -> None:
    with closing(minio.client()) as client:
        client.create_bucket(Bucket="shared")
        before = baseline(minio).baseline
        assert minio.damage(before) == ""
        client.delete_bucket(Bucket="shared")
    assert minio.damage(before) == "the bucket `shared` was deleted"


def test_redis_counts(redis: Redis, devenv_isolation: Isolation) -> None:
    with redis.client() as client:
        assert client.incr(f"{devenv_isolation.key_prefix}n") == 1


async def test_redis_counts_asynchronously(redis: Redis, devenv_isolation: Isolation) -> None:
    async with redis.async_client() as client:
        assert await client.incr(f"{devenv_isolation.key_prefix}n") == 1


def test_mongodb_stores_a_document(mongodb: Mongodb, devenv_isolation: Isolation) -> None:
    with mongodb.client() as client:
        client[devenv_isolation.database].things.insert_one({"_id": 1, "a": "b"})
        assert client[devenv_isolation.database].things.find_one({"_id": 1}) == {"_id": 1, "a": "b"}


async def test_mongodb_stores_a_document_asynchronously(mongodb: Mongodb, devenv_isolation: Isolation) -> None:
    async with mongodb.async_client() as client:
        await client[devenv_isolation.database].things.insert_one({"_id": 1})
        assert await client[devenv_isolation.database].things.count_documents({}) == 1


@pytest.mark.devenv_alone
def test_mongodb_notices_a_dropped_database_and_lost_data(mongodb: Mongodb) -> None:
    with mongodb.client() as client:
        client.shared.things.insert_one({"_id": 1})
        before = baseline(mongodb).baseline
        assert mongodb.damage(before) == ""
        client.drop_database("shared")
        assert mongodb.damage(before) == "the database `shared` was dropped"
        client.devenv_mark.marks.delete_many({})
        assert mongodb.damage(before) == "its data was deleted"


@pytest.fixture
def names(devenv_isolation: Isolation) -> Iterator[list[str]]:
    yield [devenv_isolation.database, devenv_isolation.topic_prefix, devenv_isolation.group_prefix,
           devenv_isolation.key_prefix, devenv_isolation.bucket_prefix]


def test_names_of_a_test_are_legal_and_its_own(names: list[str], devenv_isolation: Isolation) -> None:
    assert all(name.startswith(devenv_isolation.name) for name in names)
    assert devenv_isolation.variables == dict(zip(
        ("MONGODB_DATABASE", "KAFKA_TOPIC_PREFIX", "KAFKA_GROUP_PREFIX", "REDIS_KEY_PREFIX", "S3_BUCKET_PREFIX"),
        names, strict=True))
