"""Kafka's added listener: derived from the one that services use, which stays as it is."""

from __future__ import annotations

import pytest

from devenv.errors import DevenvError
from devenv.testing import listeners

# As in compose/backends.yml of this repository.
SASL = {
    "KAFKA_LISTENERS": "CLIENT://:9092,LOCAL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093",
    "KAFKA_ADVERTISED_LISTENERS": "CLIENT://kafka:9092,LOCAL://127.0.0.1:9094",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:SASL_PLAINTEXT,LOCAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "KAFKA_SASL_ENABLED_MECHANISMS": "PLAIN",
    "KAFKA_LISTENER_NAME_CLIENT_PLAIN_SASL_JAAS_CONFIG":
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_caas="p=w";',
    "CLUSTER_ID": "abc",
}


def test_listener_is_the_one_that_services_use_with_its_login() -> None:
    used = listeners.find("kafka", SASL, ["kafka:9092", "redis:6379"])
    assert (used.name, used.port, used.protocol, used.mechanism) == ("CLIENT", 9092, "SASL_PLAINTEXT", "PLAIN")
    assert (used.username, used.password) == ("caas", "p=w")


def test_ours_is_added_and_theirs_stays() -> None:
    used = listeners.find("kafka", SASL, ["kafka:9092"])
    made = listeners.with_ours(SASL, used, 20123)
    assert made["KAFKA_LISTENERS"] == SASL["KAFKA_LISTENERS"] + ",DEVENV://:19092"
    assert made["KAFKA_ADVERTISED_LISTENERS"] == SASL["KAFKA_ADVERTISED_LISTENERS"] + ",DEVENV://127.0.0.1:20123"
    assert made["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].endswith(",DEVENV:SASL_PLAINTEXT")
    ours, theirs = (f"KAFKA_LISTENER_NAME_{name}_PLAIN_SASL_JAAS_CONFIG" for name in ("DEVENV", "CLIENT"))
    assert made[ours] == made[theirs] == SASL[theirs]
    assert made["CLUSTER_ID"] == "abc"


@pytest.mark.parametrize(("mentioned", "name", "port"), [
    (["broker:29092"], "INTERNAL", 29092),
    (["http://broker:29092/", "x"], "INTERNAL", 29092),
    (["otherbroker:9092"], "INTERNAL", 29092),  # nobody mentions one: the first that is no loopback address
    ([], "INTERNAL", 29092),
])
def test_of_several_the_mentioned_or_the_first_for_containers_is_taken(
    mentioned: list[str], name: str, port: int
) -> None:
    environment = {
        "KAFKA_LISTENERS": "EXTERNAL://:9092,INTERNAL://:29092",
        "KAFKA_ADVERTISED_LISTENERS": "EXTERNAL://localhost:9092,INTERNAL://broker:29092",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "EXTERNAL:PLAINTEXT,INTERNAL:PLAINTEXT",
    }
    used = listeners.find("broker", environment, mentioned)
    assert (used.name, used.port) == (name, port)


def test_broker_without_listeners_gets_upstreams_defaults() -> None:
    used = listeners.find("kafka", {"KAFKA_HEAP_OPTS": "-Xmx1g"})
    made = listeners.with_ours({"KAFKA_HEAP_OPTS": "-Xmx1g"}, used, 20001)
    assert made["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert made["KAFKA_LISTENERS"] == "PLAINTEXT://:9092,CONTROLLER://:9093,DEVENV://:19092"
    assert made["KAFKA_ADVERTISED_LISTENERS"] == "PLAINTEXT://localhost:9092,DEVENV://127.0.0.1:20001"
    assert made["KAFKA_HEAP_OPTS"] == "-Xmx1g"


def test_bitnamis_variables_keep_their_prefix() -> None:
    environment = {"KAFKA_CFG_LISTENERS": "PLAINTEXT://:9092", "KAFKA_CFG_ADVERTISED_LISTENERS": "PLAINTEXT://k:9092"}
    used = listeners.find("k", environment)
    made = listeners.with_ours(environment, used, 20001)
    assert made["KAFKA_CFG_ADVERTISED_LISTENERS"] == "PLAINTEXT://k:9092,DEVENV://127.0.0.1:20001"
    assert made["KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP"] == "PLAINTEXT:PLAINTEXT,DEVENV:PLAINTEXT"


def test_port_inside_avoids_those_in_use() -> None:
    environment = {"KAFKA_LISTENERS": "PLAINTEXT://:19092", "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://k:19092"}
    assert listeners.find("k", environment).host_port_inside == 19093


def test_unreadable_listener_is_named() -> None:
    with pytest.raises(DevenvError, match=r"`k` has a listener that cannot be read: `9092`"):
        listeners.find("k", {"KAFKA_ADVERTISED_LISTENERS": "9092"})


def test_listener_that_is_advertised_but_not_listened_on_is_named() -> None:
    with pytest.raises(DevenvError, match="the listener `B` that `k` advertises"):
        listeners.find("k", {"KAFKA_LISTENERS": "A://:1", "KAFKA_ADVERTISED_LISTENERS": "B://k:1"})
