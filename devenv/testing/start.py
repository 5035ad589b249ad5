"""The cold path: containers through testcontainers. Imported when something has to be started, never before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import docker.errors  # type: ignore[import-untyped]
from requests.exceptions import RequestException
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import WaitStrategy

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.testing import container as definitions
from devenv.testing import evidence, health, hostports, listeners
from devenv.testing.kinds import load as kind_class
from devenv.testing.labels import NAME, PROJECT, SET
from devenv.testing.plan import Plan
from devenv.testing.records import Record

PORT_ATTEMPTS = 5
_Change = Callable[[Mapping[str, str]], Mapping[str, str]]


class SetContainer(DockerContainer):
    """A testcontainers container that belongs to a set.

    It lacks the session's label, so that a Ryuk which a test started for itself does not reap what is shared.
    """

    def __init__(self, image: str, options: Mapping[str, Any]) -> None:
        super().__init__(image)
        self.image = image  # without the prefix for registries: it is here already
        self.options = dict(options)

    def start(self) -> SetContainer:
        """Create and start it, then wait as `waiting_for` said."""
        self._container = self.get_docker_client().client.containers.create(self.image, **self.options)
        self._container.start()
        if self._wait_strategy:
            self._wait_strategy.wait_until_ready(self)
        return self

    def close(self) -> None:
        """Let go of the connection to the engine; the container stays."""
        self.get_docker_client().client.close()


class HealthOperation(WaitStrategy):
    """testcontainers' seam for readiness, filled with the container's own health check."""

    def __init__(self, wait: Callable[[str], None]) -> None:
        super().__init__()
        self._wait = wait

    def wait_until_ready(self, container: Any) -> None:
        """Return when it is usable; raises DevenvError otherwise."""
        self._wait(container.get_container_id())


@dataclass(frozen=True)
class Starter:
    """What all starts in one set have in common."""

    plan: Plan
    engine: Engine
    set_id: str
    directory: Path
    run: str
    is_cancelled: Callable[[], bool]

    def start(self, name: str, image: tuple[str, str], environment: Callable[[Mapping[int, int]], Mapping[str, str]],
              ports: Mapping[int, int] | None = None, label: str | None = None) -> Record:
        """Start a backend or a service and wait until it is usable; `ports` are those of the one that it replaces.

        `environment` is told the container's own ports. `label` is another name for a second container of the same
        definition. Raises DevenvError.
        """
        definition, found = self.plan.definition(name), self._image(name, image)
        config = found.get("Config") or {}
        kind = self.plan.kinds.get(name, "")
        for attempt in range(PORT_ATTEMPTS):
            try:
                published, addresses, change = self._ports(name, kind, config, ports)
                options = self._options(name, label or name, config, change(environment(addresses)))
                options["ports"] = {f"{inside}/tcp": ("127.0.0.1", port) for inside, port in published.items()}
                command = health.operation(definition, found)
                made = self._run(label or name, image[1], options, command, addresses)
            except _PortTaken:
                if attempt == PORT_ATTEMPTS - 1:
                    raise
                sleep(health.INTERVAL_S)
                continue
            return self._record(label or name, name, image, found, made, addresses)
        raise AssertionError("unreachable")

    def run_once(self, name: str, image: tuple[str, str], environment: Mapping[str, str],
                 label: str | None = None) -> Record:
        """Run a one-shot to its end; raises DevenvError, with its last lines, unless it ends well."""
        found = self._image(name, image)
        options = self._options(name, label or name, found.get("Config") or {}, environment)
        identity = self._run(label or name, image[1], options, None, {})
        deadline = monotonic() + self.plan.project.config.timeout_s
        while (state := self.engine.container(identity)["State"])["Running"]:
            if self.is_cancelled():
                raise health.Cancelled(f"stopped waiting for `{name}`: the run ends")
            if monotonic() > deadline:
                raise DevenvError(f"`{name}` has not ended; its last lines:\n"
                                  f"{health.last_words(self.engine, identity)}")
            sleep(health.INTERVAL_S)
        if state["ExitCode"]:
            raise DevenvError(f"`{name}` ended with exit code {state['ExitCode']}; its last lines:\n"
                              f"{health.last_words(self.engine, identity)}")
        self.engine.delete(f"/containers/{identity}", force=1, v=1)
        return self._record(label or name, name, image, found, "", {})

    def container_name(self, name: str) -> str:
        """What the engine calls it."""
        return f"{self.set_id}-{name}"

    def _image(self, name: str, image: tuple[str, str]) -> dict[str, Any]:
        found = self.engine.image(image[1])
        if found is None:
            raise DevenvError(f"the image `{image[1]}` of `{name}` is gone", "`devenv images` looks for it again")
        return found

    def _options(self, name: str, label: str, config: Mapping[str, Any],
                 environment: Mapping[str, str]) -> dict[str, Any]:
        definition = self.plan.definition(name)
        labels = {PROJECT: self.plan.project.name, SET: self.set_id, NAME: label}
        made = definitions.options(name, definition, labels, frozenset(config.get("Volumes") or ()))
        made["mounts"] += definitions.file_mounts(self.plan.model.data, definition, self.directory / "files")
        made["environment"] = dict(environment)
        made["name"] = self.container_name(label)
        made["network"] = self.set_id
        aliases = definitions.aliases(name, definition) if label == name else [label]
        made["networking_config"] = {self.set_id: {"Aliases": aliases}}
        return made

    def _ports(self, name: str, kind: str, config: Mapping[str, Any],
               ports: Mapping[int, int] | None) -> tuple[dict[int, int], dict[int, int], _Change]:
        """(what to publish, where each port of the definition is reached, what its environment needs for that)."""
        if kind == "kafka":
            used = listeners.among(name, {one: self.plan.environment(one) for one in self.plan.model.services})
            port = ports[used.port] if ports else hostports.choose(1)[0]
            return {used.host_port_inside: port}, {used.port: port}, lambda values: listeners.with_ours(
                values, used, port)
        wanted = definitions.targets(self.plan.definition(name), config.get("ExposedPorts") or {})
        if kind:
            wanted |= {kind_class(kind).port_inside(self.plan.definition(name))}
        addresses = dict(ports or zip(sorted(wanted), hostports.choose(len(wanted)), strict=True))
        return addresses, addresses, lambda values: values

    def _run(self, label: str, image: str, options: Mapping[str, Any], command: tuple[str, ...] | None,
             addresses: Mapping[int, int]) -> str:
        """Start one container; `command` is None for one that is not waited for. Returns its id."""
        name = self.container_name(label)
        # What an attempt that failed has left.
        self.engine.delete(f"/containers/{name}", force=1, v=1)
        made = SetContainer(image, options)
        if command is not None:
            made.waiting_for(HealthOperation(lambda identity: health.wait_usable(
                self.engine, label, identity, command, addresses, self.plan.project.config.timeout_s,
                self.is_cancelled)))
        try:
            return made.start().get_container_id()
        except (docker.errors.DockerException, RequestException) as problem:
            why = getattr(problem, "explanation", None) or str(problem)
            # The engine has no code of its own for this; that the port is taken now is the proof.
            taken = [port for _, port in options.get("ports", {}).values() if not hostports.is_free(port)]
            if taken:
                raise _PortTaken(f"`{label}` could not be started: port {taken[0]} of 127.0.0.1 was taken meanwhile",
                                 "run the tests again") from None
            raise DevenvError(f"`{label}` could not be started: {why}", "`devenv doctor` looks at the engine") from None
        finally:
            made.close()

    def _record(self, label: str, name: str, image: tuple[str, str], found: Mapping[str, Any], identity: str,
                addresses: Mapping[int, int]) -> Record:
        evidence.note(self.plan.project.name, name, found["Id"])
        return Record(label, self.container_name(label), identity, self.plan.hash_of(name), image[0], image[1],
                      found["Id"], dict(addresses), self.run)


class _PortTaken(DevenvError):
    """Another program took the port between our choice and the start."""
