"""The check itself: read both sides at once, compare, and set aside what a waiver explains."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from devenv.compose import Compose
from devenv.config import Waiver
from devenv.config.waivers import Waivers
from devenv.environment import read_env
from devenv.parity import composed, rendered
from devenv.parity.compare import compare
from devenv.parity.facts import Difference, Platform
from devenv.parity.rendering import no_overlay, overlays, render
from devenv.project import Project
from devenv.shell import Runner


@dataclass(frozen=True)
class Finding:
    """A difference in one overlay, and the waiver that is written for it."""

    overlay: str
    difference: Difference
    waiver: Waiver | None
    # Whether the waiver's day has not passed.
    explained: bool


@dataclass(frozen=True)
class Report:
    """What was compared, and what was found; `expired` and `idle` waivers have no difference to explain."""

    overlays: dict[str, Path]
    findings: tuple[Finding, ...]
    expired: tuple[Waiver, ...]
    idle: tuple[Waiver, ...]

    @property
    def unexplained(self) -> tuple[Finding, ...]:
        """The differences that no valid waiver explains."""
        return tuple(one for one in self.findings if not one.explained)

    @property
    def passed(self) -> bool:
        """Whether all differences are explained, and no waiver has run out."""
        return not self.unexplained and not self.expired


def check(project: Project, runner: Runner, wanted: Sequence[str], today: date) -> Report:
    """Compare Compose with the `wanted` overlays, or with all of them."""
    there = overlays(project)
    for name in wanted:
        if name not in there:
            raise no_overlay(name, there)
    chosen = {name: path for name, path in there.items() if name in wanted or not wanted}
    with ThreadPoolExecutor() as pool:
        ours = pool.submit(lambda: composed.read(as_written(project, runner).model()))
        theirs = {name: pool.submit(render, project, path, runner) for name, path in chosen.items()}
        compose = ours.result()
        sides = {name: rendered.read(objects.result()) for name, objects in theirs.items()}
    return judge(compose, sides, project.config.waivers, today, chosen, complete=len(chosen) == len(there))


def judge(compose: Platform, sides: dict[str, Platform], waivers: Sequence[Waiver], today: date,
          chosen: dict[str, Path], complete: bool) -> Report:
    """Find the waiver for each difference; only a `complete` run can tell that one is idle."""
    known, findings = Waivers(waivers, today), []
    for name, side in sides.items():
        for difference in compare(compose, side):
            waiver, valid = known.find(partial(fits, overlay=name, difference=difference))
            findings.append(Finding(name, difference, waiver, explained=valid))
    expired, idle = known.unused()
    return Report(chosen, tuple(findings), tuple(one for one in expired if one.overlay in (None, *sides)),
                  tuple(one for one in idle if one.overlay in sides or (one.overlay is None and complete)))


def fits(waiver: Waiver, overlay: str, difference: Difference) -> bool:
    """Whether a waiver is written for this difference: what it leaves open fits anything."""
    return waiver.category == difference.category and all(
        wanted is None or wanted == seen
        for wanted, seen in (
            (waiver.overlay, overlay), (waiver.service, difference.service), (waiver.field, difference.field),
            (waiver.compose, difference.compose), (waiver.kubernetes, difference.kubernetes),
        )
    )


def as_written(project: Project, runner: Runner) -> Compose:
    """Compose as the files mean it: without this machine's images, and with marks in place of secrets."""
    local = {*os.environ, *read_env(project.root / ".env")}
    return Compose(project, runner, {
        "COMPOSE_PROJECT_NAME": project.name,
        **{name: "" for name in local if name.startswith("DEVENV_IMAGE_")},
        **{name: composed.marker(name) for name in project.config.secrets},
    })
