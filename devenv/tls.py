"""A development certificate authority of this user's, and certificates for localhost.

Browsers and clients accept them once the person trusts the authority; devenv offers that and never does it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from devenv.project import write_whole
from devenv.shell import Runner

DAYS_CA, DAYS_LEAF = "3650", "397"  # a leaf of more than 398 days is refused by browsers
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Authority:
    """The authority's files, in the user's data directory (XDG)."""

    runner: Runner
    directory: Path

    @property
    def certificate(self) -> Path:
        """What a person may trust."""
        return self.directory / "ca.crt"

    @property
    def key(self) -> Path:
        """Readable by its owner only."""
        return self.directory / "ca.key"

    def ensure(self) -> None:
        """Make the authority where there is none."""
        if self.certificate.is_file() and self.key.is_file():
            return
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(dir=self.directory) as scratch:
            key, certificate = Path(scratch, "key"), Path(scratch, "crt")
            self.runner.read(
                "openssl", "req", "-x509", *_EC, "-days", DAYS_CA, "-subj", "/CN=devenv development CA",
                "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", str(key), "-out", str(certificate),
            )
            write_whole(self.key, key.read_text(), mode=0o600)
            write_whole(self.certificate, certificate.read_text())

    def issue(self, certificate: Path, key: Path) -> None:
        """Write a certificate for localhost unless a valid one of this authority is there."""
        if key.is_file() and certificate.is_file() and self._is_good(certificate):
            return
        certificate.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=certificate.parent) as scratch:
            fresh, secret = Path(scratch, "crt"), Path(scratch, "key")
            self.runner.read(
                "openssl", "req", "-x509", *_EC, "-days", DAYS_LEAF, "-subj", "/CN=localhost",
                "-CA", str(self.certificate), "-CAkey", str(self.key),
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1",
                "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth",
                "-keyout", str(secret), "-out", str(fresh),
            )
            write_whole(key, secret.read_text(), mode=0o600)
            write_whole(certificate, fresh.read_text())

    def _is_good(self, certificate: Path) -> bool:
        from devenv.errors import CommandError

        try:
            self.runner.read("openssl", "verify", "-CAfile", str(self.certificate), str(certificate))
            self.runner.read("openssl", "x509", "-checkend", "604800", "-noout", "-in", str(certificate))
        except CommandError:
            return False
        return True


def authority(runner: Runner) -> Authority:
    """This user's authority."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Authority(runner, data / "devenv")
