"""The platform as Compose understands it: services, what each needs, and where it listens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from devenv.errors import UsageError, nearest

STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"


@dataclass(frozen=True)
class Port:
    """A port published on this machine."""

    host_ip: str
    published: int
    target: int
    protocol: str


@dataclass(frozen=True)
class Service:
    """One entry under `services:`, by the terms of the design: service, backend, one-shot or seed."""

    name: str
    definition: Mapping[str, Any]

    @property
    def is_built(self) -> bool:
        """Whether its image is built from this repository."""
        return "build" in self.definition

    @property
    def extension(self) -> Mapping[str, Any]:
        """Its `x-devenv` settings."""
        return self.definition.get("x-devenv") or {}

    @property
    def is_seed(self) -> bool:
        """Whether it loads demo data, and so runs on request only."""
        return bool(self.extension.get("seed"))

    @property
    def is_optional(self) -> bool:
        """Whether a profile keeps it out of a plain `up`."""
        return bool(self.definition.get("profiles"))

    @property
    def needs(self) -> dict[str, str]:
        """Service -> condition it waits for."""
        entries = self.definition.get("depends_on") or {}
        return {name: entry.get("condition", STARTED) for name, entry in entries.items()}

    @property
    def ports(self) -> tuple[Port, ...]:
        """The TCP and UDP ports it publishes on this machine; ranges and random ports are left out."""
        return tuple(
            Port(entry.get("host_ip", ""), int(entry["published"]), int(entry["target"]), entry.get("protocol", "tcp"))
            for entry in self.definition.get("ports") or []
            if str(entry.get("published", "")).isdigit() and entry["published"] != "0"
        )

    @property
    def volumes(self) -> tuple[str, ...]:
        """Keys of the named volumes it mounts."""
        return tuple(
            str(mount["source"])
            for mount in self.definition.get("volumes") or []
            if mount.get("type") == "volume" and mount.get("source")
        )


class Model:
    """All services of a project and the order between them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.services = {name: Service(name, body) for name, body in sorted((data.get("services") or {}).items())}

    @cached_property
    def one_shots(self) -> frozenset[str]:
        """Services that others wait for until they have ended well."""
        return frozenset(
            need for service in self.services.values() for need, wanted in service.needs.items() if wanted == COMPLETED
        )

    @property
    def backends(self) -> tuple[str, ...]:
        """Third-party services: they have an image, and no build."""
        return tuple(n for n, s in self.services.items() if not s.is_built and n not in self.one_shots)

    def require(self, names: Iterable[str]) -> None:
        """Raise UsageError, with a suggestion, for a name that no service has."""
        for name in names:
            if name not in self.services:
                hint = nearest(name, self.services) or f"there are: {', '.join(self.services)}"
                raise UsageError(f"no service or backend is named `{name}`", hint)

    def select(self, names: Iterable[str]) -> tuple[str, ...]:
        """`names` and all that they need, or everything outside profiles, in an order that can be started."""
        wanted = tuple(names)
        self.require(wanted)
        roots = wanted or tuple(n for n, s in self.services.items() if not s.is_optional)
        ordered: dict[str, None] = {}

        def visit(name: str, above: tuple[str, ...]) -> None:
            if name in above:
                raise UsageError(f"services wait for each other in a circle: {' -> '.join((*above, name))}")
            if name in ordered or name not in self.services:
                return
            for need in self.services[name].needs:
                visit(need, (*above, name))
            ordered[name] = None

        for root in roots:
            visit(root, ())
        return tuple(ordered)
