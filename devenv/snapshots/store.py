"""Where snapshots lie: one folder each under `.devenv/snapshots/`, whole or not there at all."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from devenv.errors import DevenvError, UsageError, nearest
from devenv.project import Project
from devenv.runtimes.holdings import RESTORING
from devenv.snapshots.manifest import Snapshot, read

FOLDER = "snapshots"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def root(project: Project) -> Path:
    """The folder of all snapshots of a checkout."""
    return project.state / FOLDER


def folder(project: Project, name: str) -> Path:
    """The folder of one, whether it exists or not; raises UsageError for what is no name."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"`{name}` is no name for a snapshot",
                         "use letters, digits, `.`, `_` and `-`, at most 64, and a letter or digit first")
    return root(project) / name


def names(project: Project) -> list[str]:
    """All names; a hidden folder is one that is being saved or deleted."""
    place = root(project)
    return sorted(one.name for one in place.iterdir() if not one.name.startswith(".")) if place.is_dir() else []


def load(project: Project) -> list[Snapshot]:
    """All snapshots, newest first; raises DevenvError for one that cannot be read."""
    found = [read(root(project) / name) for name in names(project)]
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def find(project: Project, name: str) -> Snapshot:
    """One snapshot; raises UsageError, with a suggestion, where there is none of this name."""
    place = folder(project, name)
    if not place.is_dir():
        known = names(project)
        raise UsageError(f"no snapshot is named `{name}`",
                         nearest(name, known) or f"snapshots: {', '.join(known) or 'none'}")
    return read(place)


def delete(project: Project, name: str) -> None:
    """Delete one; raises DevenvError while it is needed to mend half restored data."""
    place = folder(project, name)
    if not place.is_dir():
        find(project, name)
    marker = project.state / RESTORING
    if marker.is_file() and marker.read_text().strip() == name:
        raise DevenvError(f"the restoring of `{name}` was cut off, and it is needed to mend the data",
                          f"devenv snapshot restore {name}")
    hidden = place.with_name(f".deleted-{name}")
    shutil.rmtree(hidden, ignore_errors=True)
    place.rename(hidden)
    shutil.rmtree(hidden)


def clear(project: Project) -> None:
    """Remove what a killed save or delete has left."""
    place = root(project)
    for one in place.iterdir() if place.is_dir() else ():
        if one.name.startswith(".") and one.is_dir():
            shutil.rmtree(one)


def sync(path: Path) -> None:
    """Return when the disk has the file, or the entries of the folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
