"""Stay in the foreground and rebuild a service when what defines its image changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from watchfiles import watch as changes

from devenv import output
from devenv.compose import input_files
from devenv.errors import DevenvError
from devenv.lock import locked
from devenv.project import Project
from devenv.runtimes.builds import definition_files
from devenv.runtimes.opening import opened
from devenv.runtimes.request import Request
from devenv.shell import Runner


def watch(project: Project, request: Request, bring_up: Callable[[Request], Any]) -> None:
    """Bring the platform up again after each change of a Dockerfile, a lock file or a Compose file."""
    while True:
        model = opened(project, Runner(), request.as_built).model()
        names = model.select(request.services)
        files = {path.resolve() for name in names for path in definition_files(model.services[name])}
        files |= {*input_files(project), project.root / "devenv.toml"}
        output.say(f"watching {len(files)} files that define images and the platform; Ctrl-C ends it")
        changed = _next_change(files)
        output.say(f"changed: {', '.join(sorted(path.name for path in changed))}")
        try:
            with locked(project.state, "up --watch"):
                # Forced builds were the first request's wish; from now on only what changed is built.
                bring_up(replace(request, build=False))
        except DevenvError as problem:
            # The old platform goes on; the next edit may mend it.
            output.warn(problem.message)


def _next_change(files: set[Path]) -> set[Path]:
    # Directories are watched, not files: editors replace a file, and a watch on it would end with it.
    directories = {path.parent for path in files if path.parent.is_dir()}
    for batch in changes(*directories, recursive=False, raise_interrupt=True):
        hit = {Path(name) for _, name in batch} & files
        if hit:
            return hit
    return set()
