"""Run one suite the way a person would, and count."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from devenv.config import Suite
from devenv.engine import Engine
from devenv.errors import CommandError, DevenvError
from devenv.project import Project
from devenv.runtimes.containers import observe
from devenv.shell import Runner
from devenv.suites import junit
from devenv.suites.outcome import SLOWEST, Outcome


def run(project: Project, runner: Runner, suite: Suite, directory: Path, environment: Mapping[str, str],
        quiet: bool = False) -> Outcome:
    """Run a suite in the project's root, with the URLs of what runs in `<SERVICE>_URL`; its report is in `directory`.

    `quiet` keeps standard output free of what the suite prints.
    """
    directory.mkdir(parents=True, exist_ok=True)
    report = directory.resolve() / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', suite.name)}.xml"
    report.unlink(missing_ok=True)
    words = [sys.executable if word == "python" else word for word in suite.command]
    is_pytest = "pytest" in words or "py.test" in words
    if is_pytest:
        words += [f"--junitxml={report}"]
    began = monotonic()
    status = _call(runner, words, project.root, {**_urls(project), **environment}, quiet)
    seconds = monotonic() - began
    if not is_pytest:
        junit.write(report, suite.name, suite.command, status, seconds)
    found = junit.read(report)
    if found is None:
        return Outcome(suite.name, status, 0, 0, 0, seconds)
    allowed = sum(any(text in reason for text in suite.may_skip) for reason in found.skips)
    return Outcome(suite.name, status, found.passed, found.failed, len(found.skips), seconds, allowed, report,
                   found.cases[:SLOWEST] if is_pytest else ())


def _call(runner: Runner, words: list[str], root: Path, environment: Mapping[str, str], quiet: bool) -> int:
    if not quiet:
        return runner.call(*words, cwd=root, env=environment)
    try:
        runner.run(*words, cwd=root, env=environment)
    except CommandError as failure:
        return failure.status
    return 0


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
