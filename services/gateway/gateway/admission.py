"""Who may pass: a valid key that has not used up its rate."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass

from prometheus_client import Counter
from pymongo.errors import PyMongoError
from servicekit.problems import Problem
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection

from gateway.keys import Key, Keys
from gateway.limits import RateLimit

TENANT = "x-tenant-id"
log = logging.getLogger(__name__)
REFUSED = Counter("gateway_refused_total", "Requests refused at the door.", ["reason"])


@dataclass(frozen=True)
class Admission:
    """Checks the key and its rate."""

    keys: Keys
    rate_limit: RateLimit

    async def admit(self, connection: HTTPConnection) -> Key:
        """The caller's key; raises a 401, 429 or 503 `Problem`."""
        # What a client says about its tenant is not believed, and not logged either.
        del MutableHeaders(scope=connection.scope)[TENANT]
        secret = secret_of(connection)
        if secret is None:
            raise refusal("no key", 401, "This needs an API key: send `Authorization: Bearer <key>`.")
        try:
            key = await self.keys.find(secret)
        except PyMongoError as error:
            log.warning("a key could not be checked: MongoDB failed: %s: %s", type(error).__name__, error)
            raise Problem(503, "The API key could not be checked; try again.", headers={"Retry-After": "1"}) from error
        if key is None:
            raise refusal("unknown key", 401, "This API key is unknown or was revoked.")
        wait_s = await self.rate_limit.wait_s(key)
        if wait_s:
            raise refusal("rate", 429, f"This key may send {key.rate_per_minute} requests a minute; slow down.",
                          {"Retry-After": str(math.ceil(wait_s))})  # fmt: skip
        MutableHeaders(scope=connection.scope)[TENANT] = key.tenant_id
        return key


def secret_of(connection: HTTPConnection) -> str | None:
    """The key in `Authorization`, or in the subprotocols `bearer, <key>`: all that a browser's WebSocket can send."""
    scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    offered = connection.scope.get("subprotocols", [])
    return offered[1] if len(offered) == 2 and offered[0].lower() == "bearer" else None


def refusal(reason: str, status: int, detail: str, headers: dict[str, str] | None = None) -> Problem:
    """A counted `Problem`."""
    REFUSED.labels(reason).inc()
    return Problem(status, detail, headers=headers or {"WWW-Authenticate": "Bearer"})
