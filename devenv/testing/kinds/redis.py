"""Redis, and what speaks its protocol (Valkey)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar

from devenv.testing.handles import HOST, Backend

MARK = "devenv:mark"


@dataclass(frozen=True)
class Redis(Backend):
    """A Redis server; isolated by a prefix of keys."""

    kind: ClassVar[str] = "redis"
    library: ClassVar[str] = "redis"
    package: ClassVar[str] = "redis"
    default_port: ClassVar[int] = 6379

    @property
    def url(self) -> str:
        """`redis://:password@127.0.0.1:PORT/0`."""
        return f"redis://{self._login()}{HOST}:{self.port}/0"

    def client(self, **options: Any) -> Any:
        """A `redis.Redis`; answers are `str` unless `decode_responses=False`."""
        return self.module().Redis.from_url(self.url, **{"decode_responses": True, **options})

    def async_client(self, **options: Any) -> Any:
        """A `redis.asyncio.Redis`."""
        return self.module("asyncio").Redis.from_url(self.url, **{"decode_responses": True, **options})

    @staticmethod
    def isolation(name: str) -> dict[str, str]:
        """A prefix for keys."""
        return {"REDIS_KEY_PREFIX": f"{name}:"}

    def mark(self) -> dict[str, Any]:
        """A key of ours, and the configuration as it is."""
        self._own.set(MARK, "1")
        return {"configuration": self._configuration()}

    def damage(self, baseline: Mapping[str, Any]) -> str:
        """Writes over the mark, which FLUSHALL would have taken; compares the configuration."""
        if not self._own.set(MARK, "1", xx=True):
            return "its data was deleted"
        if self._configuration() != baseline["configuration"]:
            return "its configuration was changed"
        return ""

    def clean(self, name: str) -> None:
        """Delete the keys under the prefix."""
        keys = list(self._own.scan_iter(match=f"{name}:*", count=1000))
        for start in range(0, len(keys), 1000):
            self._own.unlink(*keys[start : start + 1000])

    def close(self) -> None:
        """Close the plugin's own connection."""
        if client := self.__dict__.pop("_own", None):
            client.close()

    @cached_property
    def _own(self) -> Any:
        return self.client(socket_timeout=5, socket_connect_timeout=5, client_name="devenv")

    def _configuration(self) -> str:
        errors = self.module("exceptions")
        try:
            settings, role = self._own.config_get("*"), self._own.role()[0]
        except errors.ResponseError:
            return ""  # CONFIG is renamed or forbidden here
        return sha256(f"{sorted(settings.items())}{role}".encode()).hexdigest()

    def _inferred(self) -> tuple[str, str]:
        known = self.said("REDISCLI_AUTH", "REDIS_PASSWORD", "VALKEY_PASSWORD")
        command = " ".join(map(str, self.definition.get("command") or ()))
        given = re.search(r"--requirepass\s+(\S+)", command)
        return "", known or (given[1].strip("\"'") if given else "")
