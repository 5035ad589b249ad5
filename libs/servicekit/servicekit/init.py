"""`python -m servicekit.init`: topics, buckets and indexes. May run again, in any state; removes nothing."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from botocore.exceptions import ClientError

from servicekit import logs, mongodb, s3, schema
from servicekit.kafka import client_options
from servicekit.settings import KafkaSettings, MongodbSettings, S3Settings, SettingsError

log = logging.getLogger("init")
TOPIC_ALREADY_EXISTS = 36


class Settings(MongodbSettings, KafkaSettings, S3Settings):
    """All backends that hold something; how often Kafka keeps each record, and how long to try."""

    kafka_replication_factor: int = 1
    init_timeout_s: float = 60.0


async def make_topics(settings: Settings) -> None:
    """Create the topics that are missing."""
    admin = AIOKafkaAdminClient(**client_options(settings, "init"))
    await admin.start()
    try:
        wanted = [
            NewTopic(settings.topic(name), partitions, settings.kafka_replication_factor)
            for name, partitions in schema.TOPICS.items()
        ]
        answer = await admin.create_topics(wanted)
        for topic, code, message in answer.topic_errors:
            if code not in (0, TOPIC_ALREADY_EXISTS):
                raise for_code(code)(f"topic {topic}: {message}")
    finally:
        await admin.close()


async def make_buckets(settings: Settings) -> None:
    """Create the buckets that are missing."""
    await asyncio.to_thread(_make_buckets, settings)


def _make_buckets(settings: Settings) -> None:
    client = s3.client(settings, settings.s3_endpoint_url)
    # AWS's first region, alone, refuses to be named here.
    where = {} if settings.s3_region == "us-east-1" else {"LocationConstraint": settings.s3_region}
    for name in map(settings.bucket, schema.BUCKETS):
        try:
            client.head_bucket(Bucket=name)
            continue
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        try:
            client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": where} if where else {}))
        except client.exceptions.BucketAlreadyOwnedByYou:
            log.info("bucket %s was made by another run meanwhile", name)


async def make_indexes(settings: Settings) -> None:
    """Create the indexes, and with them the collections, that are missing."""
    async with mongodb.connected(settings, "init") as database:
        for collection, indexes in schema.INDEXES.items():
            for keys in indexes:
                await database[collection].create_index(keys)


async def until_done(name: str, make: Callable[[Settings], Awaitable[None]], settings: Settings) -> bool:
    """Try `make` until it succeeds or the time is up; says what happened."""
    deadline = time.monotonic() + settings.init_timeout_s
    while True:
        try:
            await make(settings)
        except Exception as error:
            if time.monotonic() > deadline:
                log.error("%s: not done after %g s: %s: %s", name, settings.init_timeout_s, type(error).__name__, error)
                return False
            log.warning("%s: %s: %s; trying again", name, type(error).__name__, error)
            await asyncio.sleep(1)
        else:
            log.info("%s: done", name)
            return True


async def main() -> int:
    """Prepare every backend at once; returns the exit code."""
    logs.configure("init")
    try:
        settings = Settings.load()
    except SettingsError as error:
        log.error("%s", error)
        return 2
    work = {"topics": make_topics, "buckets": make_buckets, "indexes": make_indexes}
    done = await asyncio.gather(*(until_done(name, make, settings) for name, make in work.items()))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
