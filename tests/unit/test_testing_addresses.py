"""Environments of services, seen from this machine and from a set's network."""

from __future__ import annotations

import pytest

from devenv.testing.addresses import Addresses

ADDRESSES = Addresses(
    ports={("mongodb", 27017): 21001, ("kafka", 9092): 21002, ("redis", 6379): 21003, ("minio", 9000): 21004},
    published={9000: 21004}, main={"mongodb": 27017, "redis": 6379},
)


@pytest.mark.parametrize(("value", "expected"), [
    ("mongodb://caas:pw@mongodb:27017", "mongodb://caas:pw@127.0.0.1:21001"),
    ("mongodb://mongodb/app", "mongodb://127.0.0.1:21001/app"),
    ("mongodb://u:p@mongodb", "mongodb://u:p@127.0.0.1:21001"),
    ("redis://redis:6379/0", "redis://127.0.0.1:21003/0"),
    ("kafka:9092,kafka:9092", "127.0.0.1:21002,127.0.0.1:21002"),
    ("http://localhost:9000", "http://localhost:21004"),
    ("http://localhost:9999", "http://localhost:9999"),
    ("http://messaging:8080", "http://messaging:8080"),
    ("redis", "redis"),
    ("my-redis:6379", "my-redis:6379"),
    ("redis:1234", "redis:1234"),
    ("redis.example.com:6379", "redis.example.com:6379"),
])
def test_addresses_from_here(value: str, expected: str) -> None:
    assert ADDRESSES.from_here({"X": value}) == {"X": expected}


def test_inside_names_stay_and_published_ports_are_the_sets() -> None:
    environment = {"A": "redis://redis:6379/0", "S3_PUBLIC_URL": "http://localhost:9000"}
    assert ADDRESSES.from_inside(environment) == {**environment, "S3_PUBLIC_URL": "http://localhost:21004"}


def test_inside_renamed_services_are_followed() -> None:
    environment = {"A": "http://messaging:8080/x", "B": "http://messaging/", "C": "http://messaging-v2:8080"}
    assert ADDRESSES.from_inside(environment, {"messaging": "messaging-t1"}) == {
        "A": "http://messaging-t1:8080/x", "B": "http://messaging-t1/", "C": "http://messaging-v2:8080"}
