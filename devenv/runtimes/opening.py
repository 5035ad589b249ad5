"""Compose with the files of the last `up`, for commands that change nothing in them."""

from __future__ import annotations

from dataclasses import replace

from devenv.compose import Compose, input_files
from devenv.engine import Engine
from devenv.environment import ensure_secrets
from devenv.project import Project
from devenv.runtimes import record
from devenv.runtimes.compose_up import Up
from devenv.runtimes.request import Request, was_as_built
from devenv.shell import Runner


def opened(project: Project, runner: Runner, as_built: bool | None = None, overlaid: bool = True) -> Compose:
    """Compose as the last `up` called it, or as the next one will.

    `overlaid=False` leaves out everything that devenv lays over the project's own files.
    """
    sources = input_files(project)
    engine = Engine()
    ensure_secrets(project, engine)
    if as_built is None:
        last = record.load(project)
        as_built = bool(last and was_as_built(last.request))
    up = Up(project, runner, engine, Request(as_built=as_built), sources)
    up.refresh()
    return up.compose if overlaid else replace(up.compose, overlays=())
