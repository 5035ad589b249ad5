"""What is in an image: a bill of materials in CycloneDX, read from the image's own records of packages.

Debian's dpkg and Python's dist-info name every package that was installed, with its version and most licences; no
database and no network is asked. Source: CycloneDX 1.6 (ECMA-424), JSON; purl-spec, types `deb` and `pypi`.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from devenv import __version__
from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.shell import Runner

_STATUS = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+)")
_METADATA = re.compile(r".*\.dist-info/METADATA")
_COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")


@dataclass(frozen=True, order=True)
class Package:
    """One installed package."""

    kind: str  # deb or pypi
    name: str
    version: str
    purl: str
    licences: tuple[str, ...]
    # What advisories call it: Debian's are written for source packages.
    advised_as: str


def packages(reference: str, engine: Engine, runner: Runner) -> list[Package]:
    """Every package that the image's records name; raises DevenvError where the image has none or is not to be had."""
    if engine.image(reference) is None:
        runner.read("docker", "pull", "--quiet", reference, timeout_s=600)
    # Never started: a command is asked for even where none would be found.
    container = runner.read("docker", "container", "create", reference, "none").strip()
    try:
        with TemporaryDirectory(prefix="devenv-supply-") as scratch:
            tree = Path(scratch, "tree.tar")
            runner.read("docker", "container", "export", "--output", str(tree), container, timeout_s=600)
            with tarfile.open(tree) as files:
                found = _read(files)
    finally:
        runner.read("docker", "container", "rm", container)
    if not found:
        raise DevenvError(f"`{reference}` has no record of packages: neither dpkg's nor Python's",
                          "devenv reads images made of Debian and Python packages; use another tool, such as syft")
    return found


def bill_of_materials(reference: str, engine: Engine, runner: Runner) -> dict[str, Any]:
    """The CycloneDX document of an image. It holds no time and no serial number: the same image has the same."""
    name, _, version = reference.partition("@")
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "component": {"type": "container", "bom-ref": reference, "name": name,
                          **({"version": version} if version else {})},
            "tools": {"components": [{"type": "application", "name": "devenv", "version": __version__}]},
        },
        "components": [
            {"type": "library", "bom-ref": one.purl, "name": one.name, "version": one.version, "purl": one.purl,
             **({"licenses": [{"license": {"name": licence}} for licence in one.licences]} if one.licences else {})}
            for one in packages(reference, engine, runner)
        ],
    }


def _read(files: tarfile.TarFile) -> list[Package]:
    release: dict[str, str] = {}
    records: list[str] = []
    copyrights: dict[str, tuple[str, ...]] = {}
    found: set[Package] = set()
    for member in files:
        path = member.name.removeprefix("./")
        copyright_of = _COPYRIGHT.fullmatch(path)
        if not member.isfile() or not (copyright_of or _STATUS.fullmatch(path) or _METADATA.fullmatch(path)
                                       or path == "usr/lib/os-release"):
            continue
        stream = files.extractfile(member)
        text = stream.read().decode(errors="replace") if stream else ""
        if copyright_of:
            copyrights[copyright_of[1]] = _machine_readable(text)
        elif path == "usr/lib/os-release":
            release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
        elif _STATUS.fullmatch(path):
            records += text.split("\n\n")
        else:
            found.add(_python(text))
    # The copyright files may come before or after the records, so these are put together at the end.
    found |= set(_debian(records, copyrights, release))
    return sorted(found)


def _debian(records: list[str], copyrights: dict[str, tuple[str, ...]], release: dict[str, str]) -> Iterator[Package]:
    distribution = release.get("ID", "debian")
    suffix = f"&distro={distribution}-{release['VERSION_ID']}" if "VERSION_ID" in release else ""

    def purl(name: str, version: str, architecture: str) -> str:
        return (f"pkg:deb/{distribution}/{quote(name, safe='')}@{quote(version, safe='')}"
                f"?arch={architecture}{suffix}")

    for record in filter(str.strip, records):
        fields = HeaderParser().parsestr(record)
        name, version = fields["Package"], fields["Version"]
        # dpkg's own words for a package whose files are there; status.d of slim images leaves them out.
        if name and version and fields.get("Status", "install ok installed").endswith(" installed"):
            # `Source: NAME (VERSION)`, each left out where it is the binary package's (Debian policy, 5.6.1).
            source, _, its_version = fields.get("Source", name).partition(" ")
            yield Package("deb", name, version, purl(name, version, fields.get("Architecture", "all")),
                          copyrights.get(name, ()), purl(source, its_version.strip("()") or version, "source"))


def _python(text: str) -> Package:
    fields = HeaderParser().parsestr(text)
    name, version = fields["Name"], fields["Version"]
    classified = tuple(line.rpartition(" :: ")[2] for line in fields.get_all("Classifier", [])
                       if line.startswith("License :: ") and not line.endswith(":: OSI Approved"))
    stated = fields["License-Expression"] or fields["License"] or ""
    # Some put the whole text of the licence there.
    licences = (stated,) if stated and "\n" not in stated and len(stated) < 80 else classified
    purl = f"pkg:pypi/{normal(name)}@{quote(version, safe='')}"
    return Package("pypi", name, version, purl, licences, purl)


def normal(name: str) -> str:
    """The one spelling of all that name the same package at PyPI (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _machine_readable(text: str) -> tuple[str, ...]:
    """The licences of a copyright file in Debian's machine-readable form (DEP 5); none for others."""
    if not text.lstrip().startswith(("Format:", "Format-Specification:")):
        return ()
    return tuple(sorted({line.strip() for line in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)}))
