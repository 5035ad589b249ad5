"""The comparison of two platforms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devenv.config import PARITY_CLASSES
from devenv.parity.facts import UNKNOWN, Difference, Platform, Workload, addresses, secrets_in, without_secrets

_SECRETIVE = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE", re.IGNORECASE)


def compare(compose: Platform, kubernetes: Platform) -> list[Difference]:
    """Every difference, in the order of the classes."""
    comparison = _Comparison(compose, kubernetes)
    names = sorted({*compose.workloads, *kubernetes.workloads})
    found = [difference for name in names for difference in comparison.of(name)]
    return sorted(found, key=lambda one: (PARITY_CLASSES.index(one.category), one))


@dataclass(frozen=True)
class _Comparison:
    compose: Platform
    kubernetes: Platform

    def of(self, name: str) -> Iterator[Difference]:
        """The differences of one workload."""
        ours, theirs = self.compose.workloads.get(name), self.kubernetes.workloads.get(name)
        if ours is None:
            yield Difference("services", name, "service", None, "there")
        elif name in self.kubernetes.managed:
            yield from self._managed(ours, theirs)
        elif theirs is not None:
            yield from self._both(ours, theirs)
        elif not ours.is_optional:
            yield Difference("services", name, "service", "there", None)

    def _both(self, ours: Workload, theirs: Workload) -> Iterator[Difference]:
        for category in PARITY_CLASSES:
            if category == "versions" and not ours.is_backend:
                continue
            left, right = ours.facts.get(category, {}), theirs.facts.get(category, {})
            for key in sorted({*left, *right}):
                is_part = key in theirs.ingredients and key not in left
                if not is_part and not self._same(category, left.get(key), right.get(key), ours.is_backend):
                    shown = (_shown(category, key, left), _shown(category, key, right))
                    yield Difference(category, ours.name, key, *shown)

    def _managed(self, ours: Workload, theirs: Workload | None) -> Iterator[Difference]:
        """A backend that runs elsewhere: not here as well, not addressed as if it were, and in the same version."""
        managed = self.kubernetes.managed[ours.name]
        if theirs is not None:
            yield Difference("services", ours.name, "service", "there", "there, though it is managed elsewhere")
        wanted = ours.facts.get("versions", {}).get("version")
        if not self._same("versions", wanted, managed, True):
            yield Difference("versions", ours.name, "version", wanted, managed)
        for name, workload in self.kubernetes.workloads.items():
            for key, value in workload.facts.get("environment", {}).items():
                if addresses(value, (ours.name,)):
                    what = f"addresses `{ours.name}` here, though it is managed elsewhere"
                    yield Difference("services", name, key, f"addresses `{ours.name}`", what)

    def _same(self, category: str, left: str | None, right: str | None, is_backend: bool) -> bool:
        if UNKNOWN in (left, right) or left == right:
            return True
        if left is None or right is None:
            return False
        if category == "images" and not is_backend:
            # A registry and a path of the environment's own: what stands last names the image.
            return left == right.rpartition("/")[2]
        if category == "environment":
            if is_backend:
                return without_secrets(left) == without_secrets(right)
            # An environment has values of its own, but a service talks to the same others everywhere.
            names = self.compose.workloads.keys() - self.kubernetes.managed.keys()
            return addresses(left, names) == addresses(right, names)
        if category == "versions":
            shorter, longer = sorted((left.split("."), right.split(".")), key=len)
            return longer[: len(shorter)] == shorter
        return False


def _shown(category: str, key: str, values: Mapping[str, str]) -> str | None:
    value = values.get(key)
    if value is not None and category == "environment" and _SECRETIVE.search(key) and not secrets_in(value):
        return "a value"
    return value
