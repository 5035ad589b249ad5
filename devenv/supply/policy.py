"""Which of the vulnerabilities found are too many: by rating, and by waivers that run out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial

from devenv.config.scan import RATINGS, Scan, ScanWaiver
from devenv.config.waivers import Waivers
from devenv.supply.scanner import Finding, Scanned

# Nobody has said that it is harmless, so somebody should look.
_UNRATED = "high"


@dataclass(frozen=True)
class Judgement:
    """A finding in one image, and what the settings make of it."""

    image: str
    finding: Finding
    counts: bool  # the settings want it gone
    waiver: ScanWaiver | None
    waived: bool  # and the waiver's day has not passed

    @property
    def fails(self) -> bool:
        """Whether the scan fails by it."""
        return self.counts and not self.waived


@dataclass(frozen=True)
class Report:
    """All that was scanned; `expired` and `idle` waivers fit nothing that was found."""

    scanned: tuple[Scanned, ...]
    judgements: tuple[Judgement, ...]
    expired: tuple[ScanWaiver, ...]
    idle: tuple[ScanWaiver, ...]

    @property
    def failing(self) -> tuple[Judgement, ...]:
        """What fails the scan."""
        return tuple(one for one in self.judgements if one.fails)

    @property
    def passed(self) -> bool:
        """Whether nothing fails, and no waiver has run out."""
        return not self.failing and not self.expired


def judge(scanned: Iterable[Scanned], settings: Scan, today: date, *, complete: bool) -> Report:
    """Find the waiver for each finding; only a `complete` scan can tell that one fits nothing."""
    images, known, judgements = tuple(scanned), Waivers(settings.waivers, today), []
    for image in images:
        for finding in image.findings:
            waiver, valid = known.find(partial(fits, finding=finding))
            judgements.append(Judgement(image.image, finding, counts(finding, settings), waiver, valid))
    expired, idle = known.unused() if complete else ((), ())
    return Report(images, tuple(judgements), expired, idle)


def counts(finding: Finding, settings: Scan) -> bool:
    """Whether the settings want a finding gone."""
    rating = _UNRATED if finding.rating == "unrated" else finding.rating
    return (RATINGS.index(rating) >= RATINGS.index(settings.fail_on)
            and (bool(finding.fixed) or not settings.only_fixed))


def fits(waiver: ScanWaiver, finding: Finding) -> bool:
    """Whether a waiver is written for this finding: of several CVEs that were mended together, one is not all."""
    bundled = sum(name.startswith("CVE-") for name in finding.names) > 1
    return waiver.id in ((finding.id,) if bundled else finding.names) and waiver.package in ("", finding.package)
