"""The program osv-scanner: which known vulnerabilities the packages of an image have, by the database of OSV.dev.

Sources: `osv-scanner scan source --help` and docs/{output,offline-mode}.md of 2.6; OSV schema 1.7; CVSS 3.1, section 5.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from devenv.errors import CommandError, DevenvError
from devenv.shell import Runner
from devenv.supply.materials import Package, normal

PROGRAM = "osv-scanner"
_FOUND = 1


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of one package."""

    package: str  # of Debian: the source package
    version: str
    ecosystem: str  # such as `Debian:13` or `PyPI`
    id: str  # the CVE; of several that were mended together, the advisory
    names: tuple[str, ...]  # everything that it is called, `id` too
    score: float | None  # CVSS; None where nobody has rated it
    fixed: tuple[str, ...]  # versions without it; empty where there is none yet
    summary: str

    @property
    def rating(self) -> str:
        """CVSS's word for the score; `unrated` without one."""
        if self.score is None:
            return "unrated"
        return next(word for least, word in ((9.0, "critical"), (7.0, "high"), (4.0, "medium"), (0.0, "low"))
                    if self.score >= least)


@dataclass(frozen=True)
class Scanned:
    """What was looked at in an image, and what was found."""

    image: str
    packages: Mapping[str, int]  # ecosystem -> number of packages; "" where no database is about them
    findings: tuple[Finding, ...]


def scan(image: str, packages: Iterable[Package], runner: Runner, *, offline: bool = False) -> Scanned:
    """Look each package up at OSV.dev; with `offline`, in the databases of this machine, and nothing is sent anywhere.

    Raises DevenvError unless everything was looked up.
    """
    named = sorted({one.advised_as for one in packages})
    with TemporaryDirectory(prefix="devenv-scan-") as scratch:
        # This ending is how osv-scanner knows the format.
        file = Path(scratch, "image.cdx.json")
        file.write_text(json.dumps({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "components": [{"type": "library", "purl": purl} for purl in named],
        }))
        try:
            said = runner.read(PROGRAM, "scan", "source", "--all-packages", "--format", "json", "--verbosity", "error",
                               *(["--offline"] if offline else []), "--lockfile", str(file), timeout_s=600)
        except CommandError as failure:
            # It ends with 1 for what it found even where a part could not be looked up; then there are errors, which
            # `output` has instead of the JSON.
            said = failure.output
            if failure.status != _FOUND or not said.startswith("{"):
                raise _not_scanned(image, said, offline) from None
    return _read(image, json.loads(said))


def _read(image: str, result: Mapping[str, Any]) -> Scanned:
    """What osv-scanner's JSON says."""
    packages = [one for source in result["results"] for one in source["packages"]]
    return Scanned(
        image, dict(sorted(Counter(one["package"].get("ecosystem", "") for one in packages).items())),
        tuple(sorted((finding for one in packages for finding in _findings(one)), key=_order)))


def _findings(package: Mapping[str, Any]) -> Iterator[Finding]:
    what, known = package["package"], {one["id"]: one for one in package.get("vulnerabilities", [])}
    for group in package.get("groups", []):
        analysis = group.get("experimental_analysis", {})
        if all(analysis.get(name, {}).get("unimportant") for name in group["ids"]):
            continue  # Debian's word for what is no danger in a Debian system
        names = tuple(sorted({*group["ids"], *group["aliases"]}))
        cves = [name for name in names if name.startswith("CVE-")]
        told = [known[name] for name in group["ids"]]
        yield Finding(
            what["name"], what["version"], what.get("ecosystem", ""),
            cves[0] if len(cves) == 1 else next((name for name in group["ids"] if "CVE-" not in name), names[0]), names,
            float(group["max_severity"]) if group.get("max_severity") else None,
            tuple(sorted({version for one in told for version in _fixed(one, what)})),
            next((one["summary"] for one in told if one.get("summary")), ""))


def _fixed(vulnerability: Mapping[str, Any], package: Mapping[str, Any]) -> Iterator[str]:
    for affected in vulnerability.get("affected", []):
        about = affected.get("package", {})
        if about.get("ecosystem") == package.get("ecosystem") and normal(about["name"]) == normal(package["name"]):
            for span in affected.get("ranges", []):
                if span["type"] != "GIT":  # whose events are commits
                    yield from (event["fixed"] for event in span["events"] if "fixed" in event)


def _order(one: Finding) -> tuple[float, str, str]:
    return -(one.score if one.score is not None else 11), one.package, one.id


def _not_scanned(image: str, said: str, offline: bool) -> DevenvError:
    why = f"says: {said.splitlines()[-1]}" if said else "does not say why"
    hint = ("`--offline` reads OSV's databases from this machine" if offline else
            "the vulnerabilities are asked for at api.osv.dev. Where that is not reached, bring OSV's databases here, "
            "and use `--offline`")
    return DevenvError(f"`{image}` could not be scanned: {PROGRAM} {why}",
                       f"{hint}: docs/guides/supply-chain.md", {"cause": "scanner"})
