"""The certificates that this machine trusts, for builds that fetch packages through a company's proxy."""

from __future__ import annotations

import os
from pathlib import Path

_VARIABLES = ("DEVENV_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Debian, Fedora, openSUSE, Alpine and macOS, in this order.
_FILES = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def ca_bundle() -> Path | None:
    """The bundle that the environment names, or the system's; None where there is none."""
    for name in (*(os.environ.get(variable, "") for variable in _VARIABLES), *_FILES):
        if name and Path(name).is_file():
            return Path(name)
    return None
