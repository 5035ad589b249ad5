"""Pages of a list: a limit, and an opaque cursor that says where the next page begins."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TypeVar

from starlette.requests import Request

from servicekit.problems import Problem

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
Key = TypeVar("Key", int, str)


def limit_of(request: Request) -> int:
    """The page size asked for by `?limit=`."""
    given = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= MAX_LIMIT):
        raise Problem(400, f"limit must be a number from 1 to {MAX_LIMIT}.")
    return int(given)


def cursor_for(key: int | str) -> str:
    """The cursor of the page that begins after `key`."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def cursor_of(request: Request, kind: type[Key]) -> Key | None:
    """The key after which the page begins, from `?cursor=`; None for the first page."""
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        key = json.loads(base64.b64decode(given + "=" * (-len(given) % 4), altchars="-_", validate=True))
    except (ValueError, binascii.Error):
        key = None
    if type(key) is not kind:
        raise Problem(400, "cursor is not one that this list gave; leave it out to begin at the start.")
    return key
