"""Whether the platform can be reached: what pods say of themselves may be what they said before a restart."""

from __future__ import annotations

import ssl
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from devenv.errors import DevenvError

# What an ingress controller answers while the service behind it is not there.
_ABSENT = (502, 503, 504)


def wait_until_reached(url: str, authority: Path, timeout_s: float) -> None:
    """Return when `url` answers with a certificate of `authority` and not for an absent service.

    Raises DevenvError with the last answer after `timeout_s` seconds.
    """
    trust = ssl.create_default_context(cafile=str(authority))
    where = urlsplit(url)
    deadline = monotonic() + timeout_s
    while True:
        connection = HTTPSConnection(where.hostname or "localhost", where.port, timeout=5, context=trust)
        try:
            connection.request("GET", where.path or "/")
            status = connection.getresponse().status
            if status not in _ABSENT:
                return
            seen = f"status {status}"
        except (OSError, HTTPException) as failure:
            seen = str(failure) or type(failure).__name__
        finally:
            connection.close()
        if monotonic() > deadline:
            raise DevenvError(f"`{url}` is not reached after {timeout_s:.0f} s: {seen}", "next: devenv status")
        sleep(0.2)
