"""How suites ended, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from devenv.receipts import Suite
from devenv.suites.junit import Case

SLOW_S = 1.0
SLOWEST = 5


@dataclass(frozen=True)
class Outcome:
    """How one suite ended; a command that is no pytest run counts as one test."""

    suite: str
    exit_code: int
    passed: int
    failed: int
    skipped: int
    seconds: float
    skips_allowed: int = 0
    junit: Path | None = None
    slowest: tuple[Case, ...] = ()

    @property
    def shortfall(self) -> str:
        """Why this is no pass; empty where it is one."""
        if self.exit_code and not self.failed and self.passed + self.skipped:
            return f"ended with exit code {self.exit_code}"
        return self.counted.shortfall

    @property
    def is_green(self) -> bool:
        """Whether tests ran, and none failed; some may have been skipped."""
        return self.exit_code == 0 and not self.failed and self.passed > 0

    @property
    def counted(self) -> Suite:
        """What a receipt says of it."""
        return Suite(self.suite, self.passed, self.failed, self.skipped, round(self.seconds, 1), self.skips_allowed)

    @property
    def result(self) -> str:
        """One or two words for the table."""
        if self.exit_code == 0 and not self.passed:
            return "skipped" if self.skipped else "empty"
        return "passed" if self.is_green else f"failed ({self.exit_code})"


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """The sum of all suites; one that is no pass without a failed test counts as one."""
    failed = sum(one.failed or int(not one.is_green) for one in outcomes)
    passed, skipped = (sum(getattr(one, what) for one in outcomes) for what in ("passed", "skipped"))
    return f"{passed} passed, {failed} failed, {skipped} skipped"


def slowest(outcomes: Sequence[Outcome]) -> list[tuple[str, Case]]:
    """(suite, test) of the slowest tests that took a second or more."""
    cases = [(one.suite, case) for one in outcomes for case in one.slowest if case.seconds >= SLOW_S]
    return sorted(cases, key=lambda pair: -pair[1].seconds)[:SLOWEST]
