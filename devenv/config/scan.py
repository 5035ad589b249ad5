"""`[scan]` of devenv.toml: which known vulnerabilities are too many, and which are put up with until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from devenv.config.reading import refuse_unknown
from devenv.config.waivers import waiver_tables

# CVSS's own words for its scores, from the least.
RATINGS = ("low", "medium", "high", "critical")


@dataclass(frozen=True)
class ScanWaiver:
    """A vulnerability that is known and put up with, until a day; without `package`, wherever it is."""

    id: str
    reason: str
    until: date
    package: str = ""


@dataclass(frozen=True)
class Scan:
    """Which vulnerabilities fail a scan."""

    fail_on: str = "high"  # this rating and worse
    only_fixed: bool = False  # those alone that a newer version of the package is without
    waivers: tuple[ScanWaiver, ...] = ()


def scan_from(table: dict[str, Any], problems: list[str]) -> Scan:
    """What the table says; adds to the problems."""
    refuse_unknown(table, {"fail_on", "only_fixed", "waivers"}, "scan.", problems)
    fail_on, only_fixed = table.get("fail_on", Scan.fail_on), table.get("only_fixed", Scan.only_fixed)
    if fail_on not in RATINGS:
        problems.append(f"fail_on\0`scan.fail_on` must be one of {', '.join(RATINGS)}")
    if not isinstance(only_fixed, bool):
        problems.append("only_fixed\0`scan.only_fixed` must be true or false")
    waivers = waiver_tables(
        table, "scan", ("id", lambda value: bool(value) and isinstance(value, str), "an `id`, such as CVE-2026-12345"),
        ("package",), problems)
    return Scan(fail_on, only_fixed, tuple(ScanWaiver(**one) for one in waivers))
