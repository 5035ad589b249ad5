"""Which suites a project has."""

from __future__ import annotations

from collections.abc import Sequence

from devenv.config import Suite
from devenv.errors import DevenvError, UsageError, nearest
from devenv.project import Project


def suites(project: Project, names: Sequence[str]) -> tuple[Suite, ...]:
    """The suites called `names`, or all; without `devenv.toml` it is pytest on the project's tests."""
    known = project.config.suites or _default(project)
    if not known:
        raise DevenvError(f"`{project.root}` has no tests that devenv knows of",
                          "make a directory `tests`, or name a command in devenv.toml: [test.unit] command = [...]")
    by_name = {suite.name: suite for suite in known}
    for name in names:
        if name not in by_name:
            raise UsageError(f"no test suite is named `{name}`",
                             nearest(name, by_name) or f"there are: {', '.join(by_name)}")
    return tuple(by_name[name] for name in dict.fromkeys(names)) or known


def _default(project: Project) -> tuple[Suite, ...]:
    if (project.root / "tests").is_dir():
        return (Suite("tests", ("python", "-m", "pytest", "tests"), needs_platform=True),)
    return ()
