"""Overlays, and what kustomize makes of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from devenv.errors import CommandError, UsageError, nearest
from devenv.parity.tree import documents, kustomization, load, walk
from devenv.project import Project
from devenv.shell import Runner


def overlays(project: Project) -> dict[str, Path]:
    """Name -> directory of every overlay; raises UsageError where there is none."""
    root = project.root / "k8s" / "overlays"
    found = {path.name: path for path in sorted(root.glob("*")) if kustomization(path)}
    if not found:
        raise UsageError(
            f"`{project.root}` has no Kubernetes overlays: there is no `k8s/overlays/<name>/kustomization.yaml`",
            "parity compares Compose with kustomize overlays: write one, or run this in a project that has some",
        )
    return found


def no_overlay(name: str, there: Iterable[str]) -> UsageError:
    """What to say of an overlay that is not there."""
    return UsageError(f"no overlay is named `{name}` in `k8s/overlays`",
                      nearest(name, there) or f"there are: {', '.join(there)}")


def render(project: Project, overlay: Path, runner: Runner) -> list[dict[str, Any]]:
    """The objects of an overlay; raises UsageError that says what kustomize refuses."""
    inputs = walk(overlay).inputs
    if all(path.exists() for path in inputs):
        return _kustomize(overlay, overlay, runner)
    # Local, git-ignored files are not there in a fresh clone, and what is in them does not matter here.
    here = project.root / "k8s"
    with TemporaryDirectory(prefix="devenv-parity-") as scratch:
        there = Path(scratch, "k8s")
        shutil.copytree(here, there, ignore=shutil.ignore_patterns(".*"))
        for path in inputs:
            place = there / path.relative_to(here) if path.is_relative_to(here) else path
            if not place.exists():
                place.write_text(_stand_in(project.config.secrets))
        return _kustomize(there / overlay.relative_to(here), overlay, runner)


def _stand_in(names: Iterable[str]) -> str:
    return "".join(f"{name}=not-written-yet\n" for name in names)


def _kustomize(directory: Path, overlay: Path, runner: Runner) -> list[dict[str, Any]]:
    try:
        text = runner.read("kubectl", "kustomize", str(directory))
    except CommandError as failure:
        for file in walk(overlay).resources:
            load(file)
        reason = failure.output.splitlines()[-1] if failure.output else f"exit code {failure.status}"
        raise UsageError(f"kustomize refuses `{overlay}`: {reason.replace(str(directory), str(overlay))}",
                         f"mend it until `kubectl kustomize {overlay}` works") from None
    return documents(text)
