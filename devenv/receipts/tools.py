"""Versions of what took part in a run."""

from __future__ import annotations

import platform

from devenv import __version__
from devenv.engine import Engine
from devenv.errors import CommandError
from devenv.shell import Runner


def versions(engine: Engine, runner: Runner) -> dict[str, str]:
    """Program -> version."""
    return {
        "devenv": __version__,
        "python": platform.python_version(),
        "docker": str(engine.get("/version").get("Version", "")),
        "compose": _said(runner, "docker", "compose", "version", "--short"),
        "buildx": _said(runner, "docker", "buildx", "version"),
        "git": _said(runner, "git", "version"),
    }


def _said(runner: Runner, *argv: str) -> str:
    """The word of the answer that begins with a digit, without the `v` before it."""
    try:
        words = [word.lstrip("v") for word in runner.read(*argv).split()]
    except CommandError:
        return ""
    return next((word for word in words if word[:1].isdigit()), "")
