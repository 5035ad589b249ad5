"""The plain shape that both sides are read into."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

# A side that cannot know (an image's own user, say) leaves the other one alone.
UNKNOWN = "?"
_SECRET = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_ADDRESS = re.compile(r"(?:^|[/@,])([A-Za-z0-9][\w.-]*):(\d+)\b")


@dataclass(frozen=True)
class Workload:
    """One service or backend: class -> field -> value, all of them texts that can be shown."""

    name: str
    facts: Mapping[str, Mapping[str, str]]
    # Backends are configured by their environment; for services only its keys are the same everywhere.
    is_backend: bool = False
    # Outside of a plain `up` (a profile): it may be absent, but if it is there it is compared.
    is_optional: bool = False
    # Variables that only exist to be part of another one's value, as Compose's `${...}` are.
    ingredients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Platform:
    """All workloads of one side; `managed` maps a backend that runs elsewhere to the version that it speaks."""

    workloads: Mapping[str, Workload]
    managed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Difference:
    """One field in which the sides differ; None is what a side does not have."""

    category: str
    service: str
    field: str
    compose: str | None
    kubernetes: str | None


def secret(name: str) -> str:
    """How the value of a secret stands in a fact."""
    return f"${{{name}}}"


def secrets_in(value: str) -> str:
    """The names of the secrets that a value is made of."""
    return " ".join(sorted(set(_SECRET.findall(value))))


def without_secrets(value: str) -> str:
    """The value with every secret alike: which one it is, is the matter of its own class."""
    return _SECRET.sub("(secret)", value)


def addresses(value: str, names: Collection[str]) -> set[tuple[str, str]]:
    """Whom of `names` a value addresses, and at which port: (`redis`, `6379`) in a URL."""
    return {(name, port) for name, port in _ADDRESS.findall(value) if name in names}


def ports_in(environments: Mapping[str, Mapping[str, str]], wanted: str) -> set[str]:
    """The ports at which any environment (workload -> key -> value) addresses `wanted`."""
    return {
        port for variables in environments.values() for value in variables.values()
        for _, port in addresses(value, (wanted,))
    }
