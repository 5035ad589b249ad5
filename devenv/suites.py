"""Run the project's test suites and add up what they say."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from time import monotonic
from xml.etree import ElementTree

from devenv.config import Suite
from devenv.engine import Engine
from devenv.errors import DevenvError, UsageError
from devenv.project import Project
from devenv.runtimes.containers import observe
from devenv.shell import Runner


@dataclass(frozen=True)
class Outcome:
    """How one suite ended; the counts come from pytest, and are 0 for any other command."""

    suite: str
    exit_code: int
    passed: int
    failed: int
    skipped: int
    seconds: float


def suites(project: Project, names: Sequence[str]) -> tuple[Suite, ...]:
    """The suites called `names`, or all; without `devenv.toml` it is pytest on the project's tests."""
    known = project.config.suites or _default(project)
    if not known:
        raise DevenvError(f"`{project.root}` has no tests that devenv knows of",
                          "make a directory `tests`, or name a command in devenv.toml: [test.unit] command = [...]")
    by_name = {suite.name: suite for suite in known}
    for name in names:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            raise UsageError(f"no test suite is named `{name}`",
                             f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(by_name)}")
    return tuple(by_name[name] for name in names) or known


def run(project: Project, runner: Runner, suite: Suite, extra: Sequence[str] = ()) -> Outcome:
    """Run one suite in the project's root, with the URLs of what runs in `<SERVICE>_URL`."""
    began = monotonic()
    with tempfile.TemporaryDirectory(prefix="devenv-test-") as scratch:
        report = Path(scratch, "report.xml")
        words = [sys.executable if word == "python" else word for word in suite.command]
        if "pytest" in words or "py.test" in words:
            words += [f"--junitxml={report}"]
        status = runner.call(*words, *extra, cwd=project.root, env=_urls(project))
        counts = _counts(report)
    return Outcome(suite.name, status, *counts, seconds=monotonic() - began)


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """The sum of all suites; a suite that failed without counting counts as one."""
    failed = sum(one.failed or int(one.exit_code != 0) for one in outcomes)
    # A suite that is no pytest run is one check that passed.
    passed = sum(one.passed or int(one.exit_code == 0 and not one.skipped) for one in outcomes)
    return f"{passed} passed, {failed} failed, {sum(one.skipped for one in outcomes)} skipped"


def _default(project: Project) -> tuple[Suite, ...]:
    if (project.root / "tests").is_dir():
        return (Suite("tests", ("python", "-m", "pytest", "tests"), needs_platform=True),)
    return ()


def _urls(project: Project) -> dict[str, str]:
    """Where the running services listen; nothing where no engine answers."""
    # The tools of the environment devenv lives in (pytest, ruff) come first, as in an activated one.
    path = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        seen = observe(Engine(), project.name)
    except DevenvError:
        return path
    return path | {
        f"{name.upper().replace('-', '_')}_URL": f"http://localhost:{one.ports[0][0]}"
        for name, containers in seen.items() for one in containers if one.ports
    }


def _counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed and skipped, from a JUnit file."""
    try:
        found = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return 0, 0, 0
    total, bad, skipped = 0, 0, 0
    for one in found:
        total += int(one.get("tests", 0))
        bad += int(one.get("failures", 0)) + int(one.get("errors", 0))
        skipped += int(one.get("skipped", 0))
    return total - bad - skipped, bad, skipped
