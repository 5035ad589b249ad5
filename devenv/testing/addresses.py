"""Addresses in a service's environment: the same backends, seen from this machine or from the set's network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Addresses:
    """Where the containers of a set are reached."""

    # (name, container port) -> port on 127.0.0.1
    ports: Mapping[tuple[str, int], int]
    # Port that the Compose file publishes -> port that stands in for it here.
    published: Mapping[int, int]
    # Name -> the port that is meant where none is written, as in `mongodb://mongodb/db`.
    main: Mapping[str, int]

    def from_here(self, environment: Mapping[str, str]) -> dict[str, str]:
        """For code that runs on this machine: `kafka:9092` becomes `127.0.0.1:PORT`."""
        return {key: self._outward(self._published(value)) for key, value in environment.items()}

    def from_inside(self, environment: Mapping[str, str], renamed: Mapping[str, str] | None = None) -> dict[str, str]:
        """For code in a container of the set: names stay, or are replaced by `renamed`; published ports are ours."""
        values = {key: self._published(value) for key, value in environment.items()}
        for old, new in (renamed or {}).items():
            values = {key: _host(old).sub(lambda m, new=new: new + (m[1] or ""), value)  # type: ignore[misc]
                      for key, value in values.items()}
        return values

    def _published(self, value: str) -> str:
        def replace(match: re.Match[str]) -> str:
            return f"{match[1]}:{self.published.get(int(match[2]), int(match[2]))}"

        return re.sub(r"(?<![\w.-])(localhost|127\.0\.0\.1):(\d+)\b", replace, value)

    def _outward(self, value: str) -> str:
        for name in {name for name, _ in self.ports}:
            def replace(match: re.Match[str], name: str = name) -> str:
                target = int(match[1][1:]) if match[1] else self.main.get(name, 0)
                port = self.ports.get((name, target))
                return f"127.0.0.1:{port}" if port else match[0]

            value = _host(name).sub(replace, value)
        return value


def _host(name: str) -> re.Pattern[str]:
    """`name:port` as a whole word, or `name` alone where a URL has its host; the port is the group."""
    word = re.escape(name)
    return re.compile(rf"(?<![\w.-]){word}(:\d+)\b|(?<=[/@]){word}(?=[/?,]|$)")
