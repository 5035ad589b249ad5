"""The plain shape that both sides are read into, and the comparison of two such shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from devenv.config import PARITY_CLASSES

# A side that cannot know (an image's own user, say) leaves the other one alone.
UNKNOWN = "?"
_SECRET = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_SECRETIVE = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE", re.IGNORECASE)


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


def addressed(platform: Mapping[str, Mapping[str, str]], name: str) -> set[str]:
    """Ports at which any environment of the platform (service -> key -> value) addresses `name`."""
    pattern = re.compile(rf"(?:^|[/@,])(?<![\w.-]){re.escape(name)}:(\d+)\b")
    return {port for variables in platform.values() for value in variables.values() for port in pattern.findall(value)}


def compare(compose: Platform, kubernetes: Platform) -> list[Difference]:
    """Every difference, in the order of the classes."""
    found = [
        difference
        for name in sorted({*compose.workloads, *kubernetes.workloads})
        for difference in _workload(name, compose.workloads.get(name), kubernetes.workloads.get(name), kubernetes)
    ]
    return sorted(found, key=lambda one: (PARITY_CLASSES.index(one.category), one))


def _workload(name: str, ours: Workload | None, theirs: Workload | None, there: Platform) -> Iterator[Difference]:
    if ours is None:
        yield Difference("services", name, "service", None, "there")
        return
    if name in there.managed:
        yield from _managed(ours, theirs, there)
        return
    if theirs is None:
        if not ours.is_optional:
            yield Difference("services", name, "service", "there", None)
        return
    for category in PARITY_CLASSES:
        if category == "versions" and not ours.is_backend:
            continue
        left, right = ours.facts.get(category, {}), theirs.facts.get(category, {})
        for key in sorted({*left, *right}):
            if key in theirs.ingredients and key not in left:
                continue
            if not _same(category, left.get(key), right.get(key), ours.is_backend):
                yield Difference(category, name, key, _shown(category, key, left), _shown(category, key, right))


def _managed(ours: Workload, theirs: Workload | None, there: Platform) -> Iterator[Difference]:
    """A backend that runs elsewhere: not here as well, not addressed as if it were here, and in the same version."""
    if theirs is not None:
        yield Difference("services", ours.name, "service", "there", "there, though it is managed elsewhere")
    wanted, managed = ours.facts.get("versions", {}).get("version"), there.managed[ours.name]
    if not _same("versions", wanted, managed, True):
        yield Difference("versions", ours.name, "version", wanted, managed)
    for name, workload in there.workloads.items():
        for key, value in workload.facts.get("environment", {}).items():
            if addressed({name: {key: value}}, ours.name):
                yield Difference("services", name, key, "runs here", f"`{ours.name}` is managed, but addressed in here")


def _same(category: str, left: str | None, right: str | None, is_backend: bool) -> bool:
    if UNKNOWN in (left, right):
        return True
    if category == "images" and not is_backend and right:
        # A registry and a path of the environment's own: what stands last names the image.
        return left == right.rpartition("/")[2]
    if category == "environment" and left is not None and right is not None:
        # Which secret it is made of is the matter of the class `secrets`.
        return not is_backend or _SECRET.sub("secret", left) == _SECRET.sub("secret", right)
    if category == "versions" and left and right:
        shorter, longer = sorted((left.split("."), right.split(".")), key=len)
        return longer[: len(shorter)] == shorter
    return left == right


def _shown(category: str, key: str, values: Mapping[str, str]) -> str | None:
    value = values.get(key)
    if value is not None and category == "environment" and _SECRETIVE.search(key) and not secrets_in(value):
        return "a value"
    return value
