"""Which tenant a request is for: the gateway says so, after it has checked the key."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

from servicekit.problems import Problem

TENANT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def tenant_of(connection: HTTPConnection) -> str:
    """The tenant's id from X-Tenant-Id; raises a 400 `Problem` where it is missing or malformed."""
    given = connection.headers.get("x-tenant-id", "")
    if not TENANT_ID.fullmatch(given):
        detail = "X-Tenant-Id must name a tenant (lower-case letters, digits, '-'; at most 63); the gateway sets it."
        raise Problem(400, detail)
    return given
