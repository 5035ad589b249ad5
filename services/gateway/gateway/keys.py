"""API keys: known by their SHA-256 in MongoDB, and for a minute in Redis."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Protocol

from prometheus_client import Counter
from redis.asyncio import Redis

from gateway.best_effort import BestEffort

LOOKUPS = Counter("gateway_key_lookups_total", "Look-ups of API keys, by where the answer came from.", ["source"])
LONGEST = 200


class Documents(Protocol):
    """The part of a MongoDB collection that is used here."""

    async def find_one(self, filter: Mapping[str, Any]) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class Key:
    """What a valid key says about its holder."""

    digest: str
    tenant_id: str
    name: str
    rate_per_minute: int


class Keys:
    """Finds keys, and remembers what it found: a valid key for `ttl_s`, an unknown one for `unknown_ttl_s`."""

    def __init__(
        self,
        documents: Documents,
        redis: Redis,
        best_effort: BestEffort,
        *,
        prefix: str,
        ttl_s: int,
        unknown_ttl_s: int,
    ) -> None:
        self._documents = documents
        self._redis = redis
        self._best_effort = best_effort
        self._prefix = prefix
        self._ttl_s = ttl_s
        self._unknown_ttl_s = unknown_ttl_s
        self._asking: dict[str, asyncio.Task[Key | None]] = {}

    async def find(self, secret: str) -> Key | None:
        """The key whose secret this is, unless there is none or it was revoked; raises PyMongoError."""
        if not 0 < len(secret) <= LONGEST:
            return None
        digest = sha256(secret.encode()).hexdigest()
        name = f"{self._prefix}key:{digest}"
        cached = await self._best_effort.attempt("cache_read", lambda: self._redis.get(name))
        if cached is not None:
            LOOKUPS.labels("redis").inc()
            fields = json.loads(cached)
            return Key(**fields) if fields else None
        key = await self._ask(digest)
        value = json.dumps(asdict(key) if key else None)
        ttl_s = self._ttl_s if key else self._unknown_ttl_s
        await self._best_effort.attempt("cache_write", lambda: self._redis.set(name, value, ex=ttl_s))
        return key

    async def _ask(self, digest: str) -> Key | None:
        """Ask MongoDB; who wants the same key meanwhile shares the answer, so that a lost cache means no flood."""
        task = self._asking.get(digest)
        if task is None:
            task = self._asking[digest] = asyncio.create_task(self._look_up(digest))
            task.add_done_callback(lambda done: self._asking.pop(digest))
        return await asyncio.shield(task)

    async def _look_up(self, digest: str) -> Key | None:
        LOOKUPS.labels("mongodb").inc()
        # By `_id` alone: FerretDB answers no other filter from an index.
        found = await self._documents.find_one({"_id": digest})
        if found is None or found.get("revoked_at") is not None:
            return None
        return Key(digest, found["tenant_id"], found["name"], int(found["rate_per_minute"]))
