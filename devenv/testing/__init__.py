"""A pytest plugin: real backends and services from the project's own Compose files, warm and isolated.

The names below are for annotations; they load when asked for, so that the plugin costs a test run nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Backend": "handles", "Service": "handles", "Platform": "session", "Isolation": "isolation",
    "Mongodb": "kinds.mongodb", "Kafka": "kinds.kafka", "Redis": "kinds.redis", "Minio": "kinds.minio",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `{__name__}` has no `{name}`")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
