"""One test's own database, topics, groups, keys and buckets: the same backends, names that nobody else has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from devenv.testing.kinds import IMAGES, load

if TYPE_CHECKING:
    from devenv.testing.handles import Service
    from devenv.testing.session import Session


@dataclass(frozen=True)
class Isolation:
    """Names for one test, and environments that carry them; everything under them is deleted after the test."""

    session: Session = field(repr=False)
    # Legal everywhere: in a database's name, a topic's, a key, and (small letters, short) a bucket's.
    name: str = field(default_factory=lambda: f"t{uuid4().hex[:10]}")
    _containers: list[str] = field(default_factory=list, repr=False)

    @property
    def database(self) -> str:
        """MongoDB database."""
        return self.variables["MONGODB_DATABASE"]

    @property
    def topic_prefix(self) -> str:
        """Beginning of Kafka topics."""
        return self.variables["KAFKA_TOPIC_PREFIX"]

    @property
    def group_prefix(self) -> str:
        """Beginning of Kafka consumer groups."""
        return self.variables["KAFKA_GROUP_PREFIX"]

    @property
    def key_prefix(self) -> str:
        """Beginning of Redis keys."""
        return self.variables["REDIS_KEY_PREFIX"]

    @property
    def bucket_prefix(self) -> str:
        """Beginning of S3 buckets."""
        return self.variables["S3_BUCKET_PREFIX"]

    @property
    def variables(self) -> dict[str, str]:
        """The variables by which services are told these names."""
        return {key: value for kind in IMAGES for key, value in load(kind).isolation(self.name).items()}

    def env(self, service: str) -> dict[str, str]:
        """The environment of `service` for code in this process: addresses on 127.0.0.1, this test's names.

        Starts the backends that the service needs. Raises UsageError for a name that no service has.
        """
        plan = self.session.plan
        plan.service(service)
        self.session.use(name for name in plan.model.select([service]) if name in plan.model.backends)
        return {**self.session.set.addresses().from_here(plan.environment(service)), **self.variables}

    def run(self, one_shot: str) -> None:
        """Run a one-shot (topics, buckets, indexes) for this test's names; raises DevenvError unless it ends well."""
        self._start_needs(one_shot)
        image = self.session.set.images([one_shot])[one_shot]
        self.session.set.starter().run_once(one_shot, image, self._inside(one_shot), self._label(one_shot))

    def start(self, service: str) -> Service:
        """Start a container of `service`, and of the services and one-shots it needs, for this test alone.

        Raises DevenvError where one does not become usable.
        """
        from devenv.testing.handles import Service

        plan, containers = self.session.plan, self.session.set
        plan.service(service)
        names = self._start_needs(service)
        found = containers.images(names)
        renamed = {name: self._label(name) for name in names if name not in plan.model.one_shots}
        for name in names:
            if name in plan.model.one_shots:
                containers.starter().run_once(name, found[name], self._inside(name, renamed), self._label(name))
                continue
            self._containers.append(containers.starter().container_name(self._label(name)))
            record = containers.starter().start(name, found[name], partial(self._inside, name, renamed),
                                                label=self._label(name))
            made = Service(record.name, record.container, record.ports, self._inside(name, renamed, record.ports),
                           plan.definition(name), (record.name,), self.session.control(name))
        return made

    def close(self) -> None:
        """Remove the test's own containers."""
        while self._containers:
            self.session.engine.delete(f"/containers/{self._containers.pop()}", force=1, v=1)

    def _start_needs(self, name: str) -> list[str]:
        """Start the shared backends that `name` needs; returns what it needs besides, itself last."""
        model = self.session.plan.model
        closure = model.select([name])
        self.session.use(one for one in closure if one in model.backends)
        return [one for one in closure if one not in model.backends]

    def _inside(self, name: str, renamed: Mapping[str, str] | None = None,
                own: Mapping[int, int] | None = None) -> dict[str, str]:
        addresses = self.session.set.addresses({name: own or {}})
        return {**addresses.from_inside(self.session.plan.environment(name), renamed), **self.variables}

    def _label(self, name: str) -> str:
        return f"{name}-{self.name}"
