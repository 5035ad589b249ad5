"""`devenv chart`: render an overlay, lift what may differ, and pack it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from devenv.chart.archive import archive
from devenv.chart.files import About, files
from devenv.chart.holes import places
from devenv.chart.lift import Object, lift
from devenv.chart.references import image_parts, is_image
from devenv.errors import UsageError, nearest
from devenv.parity.check import as_written
from devenv.parity.rendering import no_overlay, overlays, render
from devenv.project import Project
from devenv.receipts.tree import OUTSIDE, Source, source
from devenv.shell import Runner

# Helm wants a version of three numbers (semver.org); a build's metadata cannot be part of a registry's tag.
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_NO_DIGEST = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Chart:
    """A chart that was packed, and what should be known about it."""

    about: About
    path: Path
    sha256: str
    notes: tuple[str, ...]


def make(project: Project, runner: Runner, *, overlay: str, output: Path, version: str | None,
         images: Mapping[str, str]) -> Chart:
    """Pack an overlay; `images`: service -> the reference that is written instead of the overlay's own."""
    there = overlays(project)
    if overlay not in there:
        raise no_overlay(overlay, there)
    if version and not _VERSION.fullmatch(version):
        raise UsageError(f"`{version}` is no version of a chart", "three numbers, as in 1.4.0 or 1.4.0-rc.1")
    origin = origin_of(project, runner)
    model = as_written(project, runner).model()
    services = [name for name, service in model.services.items() if service.is_built]
    objects = render(project, there[overlay], runner)
    _replace_images(objects, images, services)
    lifted = lift(objects, services)
    dirty = "-dirty" if origin.dirty else ""
    about = About(project.title.replace("_", "-"), version or f"0.0.0-g{origin.commit[:12]}{dirty}",
                  origin.commit + dirty, overlay)
    time_s = int(runner.read("git", "show", "--no-patch", "--format=%ct", origin.commit, cwd=project.root))
    packed = archive(about.name, files(about, lifted), time_s)
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{about.name}-{about.version}.tgz"
    path.write_bytes(packed)
    return Chart(about, path, sha256(packed).hexdigest(), tuple(_notes(lifted.values.data, lifted.dropped, origin)))


def origin_of(project: Project, runner: Runner) -> Source:
    """What is checked out; raises UsageError outside of a repository, where no chart could be traced."""
    found = source(project.root, runner)
    if found == OUTSIDE:
        raise UsageError(f"`{project.root}` has no commit, and a chart says which one it is made from",
                         "git init && git add . && git commit")
    return found


def _replace_images(objects: list[Object], images: Mapping[str, str], services: list[str]) -> None:
    left = set(images)
    for one in objects:
        for container, key, trail in places(one):
            name = image_parts(container[key]).last if is_image(trail) else ""
            if name in images and name in services:
                container[key] = images[name]
                left.discard(name)
    for name in sorted(left):
        raise UsageError(f"no pod of the overlay runs an image of a service named `{name}`",
                         nearest(name, services) or f"there are: {', '.join(services)}")


def _notes(values: Mapping[str, Mapping[str, Mapping[str, str]]], dropped: list[str], origin: Source) -> list[str]:
    found = [f"Secret `{name}` is not packed: whoever installs the chart makes it" for name in dropped]
    unreal = [name for name, image in values.get("images", {}).items() if image["digest"] == _NO_DIGEST]
    if unreal:
        found.append(f"no image has the digest that the overlay names for {', '.join(unreal)}: give --image, or values")
    if origin.dirty:
        found.append("files are changed that are not committed: another build of this commit makes another chart")
    return found
