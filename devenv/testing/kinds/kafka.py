"""Kafka: clients in this process, through the listener that `devenv.testing.listeners` adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from time import monotonic, sleep
from typing import Any, ClassVar

from devenv.errors import DevenvError
from devenv.testing import listeners
from devenv.testing.handles import HOST, Backend
from devenv.testing.kinds import kafka_groups

TIMEOUT_S = 15


@dataclass(frozen=True)
class Kafka(Backend):
    """A Kafka broker; isolated by prefixes of topics and consumer groups."""

    kind: ClassVar[str] = "kafka"
    library: ClassVar[str] = "aiokafka"
    package: ClassVar[str] = "aiokafka"
    default_port: ClassVar[int] = 9092

    @cached_property
    def listener(self) -> listeners.Listener:
        """The one whose protocol and logins clients use."""
        return listeners.find(self.name, self.environment, [f"{self.name}:{port}" for port in self.ports])

    @property
    def port(self) -> int:
        """The port on 127.0.0.1 that its clients connect to."""
        return next(iter(self.ports.values()))

    @property
    def bootstrap_servers(self) -> str:
        """`127.0.0.1:PORT`."""
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """`kafka://127.0.0.1:PORT`, for what wants a URL; clients take `bootstrap_servers`."""
        return f"kafka://{self.bootstrap_servers}"

    @property
    def options(self) -> dict[str, Any]:
        """What each aiokafka client needs to connect and log in."""
        made: dict[str, Any] = {"bootstrap_servers": self.bootstrap_servers,
                                "security_protocol": self.listener.protocol}
        if self.listener.protocol.startswith("SASL_"):
            made |= {"sasl_mechanism": self.listener.mechanism or "PLAIN", "sasl_plain_username": self.username,
                     "sasl_plain_password": self.password}
        return made

    def producer(self, **options: Any) -> Any:
        """An `aiokafka.AIOKafkaProducer`, not yet started."""
        return self.module().AIOKafkaProducer(**{**self.options, **options})

    def consumer(self, *topics: str, **options: Any) -> Any:
        """An `aiokafka.AIOKafkaConsumer`, not yet started."""
        return self.module().AIOKafkaConsumer(*topics, **{**self.options, **options})

    def client(self, **options: Any) -> Any:
        """An `aiokafka.admin.AIOKafkaAdminClient`, not yet started."""
        return self.module("admin").AIOKafkaAdminClient(**{**self.options, **options})

    def create_topics(self, *names: str, partitions: int = 1) -> None:
        """Create topics and wait until they are there."""
        new_topic = self.module("admin").NewTopic
        answer = self._own.call(lambda client: client.create_topics(
            [new_topic(name, partitions, 1) for name in names], timeout_ms=TIMEOUT_S * 1000))
        refused = [f"{name}: {said}" for name, code, *said in answer.topic_errors if code]
        if refused:
            raise DevenvError(f"`{self.name}` refused topics: {'; '.join(refused)}")
        self._wait_for(lambda topics: topics >= set(names), f"the topics {', '.join(names)} to be there")

    def topics(self) -> list[str]:
        """The names of all topics."""
        return sorted(self._own.call(lambda client: client.list_topics()))

    def groups(self, prefix: str = "") -> list[str]:
        """The names of the consumer groups that begin with `prefix`."""
        return list(self._own.call(lambda client: kafka_groups.list_groups(client, prefix)))

    @staticmethod
    def isolation(name: str) -> dict[str, str]:
        """Prefixes for topics and for consumer groups."""
        return {"KAFKA_TOPIC_PREFIX": f"{name}.", "KAFKA_GROUP_PREFIX": f"{name}."}

    def mark(self) -> dict[str, Any]:
        """The names of the topics, and the broker's settings as they are."""
        return {"topics": self.topics(), "settings": self._settings()}

    def damage(self, baseline: Mapping[str, Any]) -> str:
        """Looks whether a topic is gone or a setting of the broker was changed."""
        lost = set(baseline["topics"]) - set(self.topics())
        if lost:
            return f"the topic `{min(lost)}` was deleted"
        return "its settings were changed" if self._settings() != baseline["settings"] else ""

    def clean(self, name: str) -> None:
        """Delete the consumer groups and topics under the prefix."""
        groups = self.groups(f"{name}.")
        if groups:
            self._own.call(lambda client: kafka_groups.delete_groups(client, groups, self.module))
        topics = [topic for topic in self.topics() if topic.startswith(f"{name}.")]
        if topics:
            self._own.call(lambda client: client.delete_topics(topics, timeout_ms=TIMEOUT_S * 1000))
            self._wait_for(lambda left: not left & set(topics), f"the topics {', '.join(topics)} to be gone")

    def close(self) -> None:
        """Close the plugin's own connection."""
        if own := self.__dict__.pop("_own", None):
            own.close()

    @cached_property
    def _own(self) -> Any:
        from devenv.testing.kinds.kafka_admin import Admin

        return Admin(self.client)

    def _wait_for(self, is_so: Callable[[set[str]], bool], what: str) -> None:
        """The controller answers before the broker knows."""
        deadline = monotonic() + TIMEOUT_S
        while not is_so(set(self.topics())):
            if monotonic() > deadline:
                raise DevenvError(f"waited {TIMEOUT_S} s for {what}, in vain")
            sleep(0.01)

    def _settings(self) -> dict[str, str]:
        """Settings that were changed while the broker ran."""
        admin = self.module("admin")
        resource = admin.config_resource.ConfigResource
        kind = admin.config_resource.ConfigResourceType.BROKER
        node = self.environment.get(f"{self.listener.prefix}NODE_ID", "1")
        answers = self._own.call(lambda client: client.describe_configs([resource(kind, node)]))
        entries = [entry for answer in answers for found in answer.resources for entry in found[4]]
        # (name, value, read only, where from, ...); 2 and 3 are dynamic, of this broker or of all (KIP-226).
        return {entry[0]: str(entry[1]) for entry in entries if entry[3] in (2, 3)}

    def _inferred(self) -> tuple[str, str]:
        return self.listener.username, self.listener.password
