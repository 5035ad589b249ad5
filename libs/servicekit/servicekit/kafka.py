"""Kafka: clients with the cluster's security, and the request id that travels with a record."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.helpers import create_ssl_context

from servicekit.settings import KafkaSettings

REQUEST_ID = "request_id"


def client_options(settings: KafkaSettings, name: str) -> dict[str, Any]:
    """What every aiokafka client here is given."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": name,
        "security_protocol": settings.kafka_security_protocol,
        "request_timeout_ms": 10_000,
        "metadata_max_age_ms": 30_000,
    }
    if "SSL" in settings.kafka_security_protocol.split("_"):
        options["ssl_context"] = create_ssl_context(cafile=settings.kafka_ssl_cafile)
    if settings.kafka_security_protocol.startswith("SASL_"):
        password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_username or "",
            "sasl_plain_password": password,
        }
    return options


def producer(settings: KafkaSettings, name: str) -> AIOKafkaProducer:
    """An idempotent producer, not yet started: while it retries, for as long as it takes, it keeps a partition's order.

    What is sent but not acknowledged must stay under a megabyte: more would fail instead of wait.
    """
    return AIOKafkaProducer(
        **client_options(settings, name), enable_idempotence=True, acks="all", max_batch_size=1_000_000
    )


def consumer(
    settings: KafkaSettings, name: str, *topics: str, group: str | None, offset_reset: str = "earliest"
) -> AIOKafkaConsumer:
    """A consumer, not yet started, that commits only when told to; without a group it reads every partition."""
    return AIOKafkaConsumer(
        *(settings.topic(topic) for topic in topics),
        **client_options(settings, name),
        group_id=settings.group(group) if group else None,
        enable_auto_commit=False,
        auto_offset_reset=offset_reset,
        # The shortest that brokers allow by default: after a crash the partitions move in seconds.
        session_timeout_ms=6000,
        heartbeat_interval_ms=2000,
    )


def headers(request_id: str) -> list[tuple[str, bytes]]:
    """Record headers that carry a request id."""
    return [(REQUEST_ID, request_id.encode())] if request_id else []


def request_id_of(record: Any) -> str:
    """The request id that a record carries, or nothing."""
    return next((value.decode(errors="replace") for key, value in record.headers if key == REQUEST_ID), "")


async def check(client: AIOKafkaProducer | AIOKafkaConsumer | None) -> None:
    """Ask a broker for the cluster's metadata; `None` stands for a client that could not be started yet."""
    if client is None:
        raise ConnectionError("no connection to a broker yet")
    connections = client.client if isinstance(client, AIOKafkaProducer) else client._client
    await connections.fetch_all_metadata()


async def stop(client: AIOKafkaProducer | AIOKafkaConsumer, timeout_s: float = 3.0) -> None:
    """Flush (or leave the group) and close; a broker that is gone must not hold the shutdown up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await client.stop()
