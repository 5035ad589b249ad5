"""A smoke test: the platform answers where its users reach it. It reads, and changes nothing."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from http.client import HTTPException
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError
from urllib.request import urlopen

from devenv.errors import DevenvError

# An ingress controller and a load balancer need a moment to see new pods.
SETTLE_S = 20.0


def smoke(urls: Iterable[str], base: str, authority: Path | None = None, settle_s: float = SETTLE_S) -> None:
    """Raise DevenvError unless each URL, or path below `base`, answers without an error within `settle_s` seconds."""
    trust = ssl.create_default_context(cafile=authority)  # SSL_CERT_FILE names another one too
    for url in urls:
        if url.startswith("/") and not base:
            raise DevenvError(f"the smoke test of `{url}` does not know where the platform answers",
                              "write the whole URL in devenv.toml, or put out `dns.url` in Terraform")
        _ask(base.rstrip("/") + url if url.startswith("/") else url, trust, monotonic() + settle_s)


def _ask(url: str, trust: ssl.SSLContext, deadline: float) -> None:
    while True:
        try:
            with urlopen(url, timeout=10, context=trust if url.startswith("https:") else None):
                return
        except HTTPError as refusal:
            seen = f"status {refusal.code}"
        except (OSError, HTTPException) as cause:
            seen = str(cause)
        if monotonic() > deadline:
            raise DevenvError(f"the smoke test failed: `{url}` answers {seen}", "look at that service's log")
        sleep(0.5)
