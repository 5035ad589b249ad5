"""What `up` was asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """The services to start (none: all), and how."""

    services: tuple[str, ...] = ()
    build: bool = False
    as_built: bool = False
    offline: bool = False
    # The images are known to be those of the source: only what is missing or defined otherwise is built.
    built: bool = False

    def key(self) -> str:
        """Equal for requests that end in the same state."""
        return json.dumps([sorted(self.services), self.as_built])


def was_as_built(key: str) -> bool:
    """Whether the request of this key ran the images' own code, without live reload."""
    return bool(json.loads(key)[1])
