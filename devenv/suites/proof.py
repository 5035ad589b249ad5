"""What a run of the suites proves: seen before, between and after them, and written down if all of it fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from devenv import receipts
from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.images.bake import image_name
from devenv.images.resolve import Resolved
from devenv.model import Model
from devenv.parity.tree import kustomization
from devenv.project import Project
from devenv.receipts.tools import versions
from devenv.runtimes.compose_up import BUILD, Up
from devenv.runtimes.containers import observe
from devenv.runtimes.reloading import SOURCES
from devenv.runtimes.request import Request
from devenv.shell import Runner
from devenv.steps import Journal
from devenv.steps import run as run_steps
from devenv.suites.outcome import Outcome
from devenv.testing import evidence
from devenv.testing.images import BUILT, are_built


@dataclass
class Proof:
    """The source and the images of a run, and what has run of them so far."""

    project: Project
    engine: Engine
    runner: Runner
    model: Model
    source: receipts.Source
    images: Mapping[str, receipts.Image]
    backends: Mapping[str, receipts.Backend]
    ran: set[str] = field(default_factory=set)  # image IDs
    doubts: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Tells the suites that the images are built, and devenv.testing where to note what it runs."""
        return {BUILT: "1", evidence.VARIABLE: str(_ran_file(self.project))}

    def look(self) -> None:
        """Take note of what the project's own platform runs, and whether that is what was built."""
        for name, containers in observe(self.engine, self.project.name).items():
            for one in containers:
                if name in self.model.services and self.model.services[name].is_built and one.state != "created":
                    self._ran(name, one.image_id)
                    mounts = self.engine.container(one.identity).get("Mounts") or []
                    if any(str(mount.get("Destination", "")).startswith(SOURCES) for mount in mounts):
                        self._doubt(f"`{name}` ran with mounted source, not the code of its image")

    def missing(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Why this run proves nothing about the images; empty where it proves them good."""
        for ran in evidence.read(_ran_file(self.project)):
            if ran.project == self.project.name:
                self._ran(ran.service, ran.image_id)
        if not self.images:
            return ["the project builds no image"]
        found = [f"the suite `{one.suite}` {one.shortfall}" for one in outcomes if one.shortfall]
        found += self.doubts
        if edited := receipts.source(self.project.root, self.runner).edited_since(self.source):
            found.append(f"{_named(edited)} changed while the suites ran")
        now = receipts.images_of(self.project, self.engine, self.model)
        found += [f"`{name}` was built again while the suites ran" for name in self.images
                  if now[name].image_id != self.images[name].image_id]
        idle = [f"`{name}`" for name, image in self.images.items() if image.image_id not in self.ran]
        if idle:
            found.append(f"no suite ran the image of {', '.join(idle)}: give one `needs_platform = true`, "
                         "or ask for `devenv_platform` in a test")
        return found

    def write(self, outcomes: Sequence[Outcome]) -> Path:
        """The receipt; only for a run of which nothing is missing."""
        overlays = sorted(path.name for path in (self.project.root / "k8s" / "overlays").glob("*")
                          if kustomization(path))
        return receipts.write(self.project, receipts.Receipt(
            project=self.project.title,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=self.source.commit,
            dirty=self.source.dirty,
            images=dict(self.images),
            backends=dict(self.backends),
            manifests={name: receipts.manifest_hash(self.project.root, name) for name in overlays},
            suites=tuple(one.counted for one in outcomes),
            tools=versions(self.engine, self.runner),
            tree=self.source.tree,
        ), self.runner)

    def _ran(self, service: str, image_id: str) -> None:
        self.ran.add(image_id)
        built = {image.reference: image.image_id for image in self.images.values()}
        reference = image_name(self.project, self.model.services[service])
        if built.get(reference, image_id) != image_id:
            self._doubt(f"`{service}` ran another image than the one built from the source")

    def _doubt(self, text: str) -> None:
        if text not in self.doubts:
            self.doubts.append(text)


def begin(project: Project, engine: Engine, runner: Runner) -> Proof:
    """Build every service's image from the source as it is now, unless that is said to be done. The lock is held."""
    source = receipts.source(project.root, runner)
    up = Up(project, runner, engine, Request(build=not are_built(), as_built=True, built=are_built()))
    run_steps("test", BUILD, up, Journal(project.state / "journal.jsonl"))
    _ran_file(project).unlink(missing_ok=True)
    backends = {name: _backend(up.images[str(up.stated.services[name].definition["image"])])
                for name in up.stated.backends if name in up.names}
    if edited := receipts.source(project.root, runner).edited_since(source):
        raise DevenvError(f"{_named(edited)} changed while the images were built", "devenv test")
    return Proof(project, engine, runner, up.model, source, receipts.images_of(project, engine, up.model), backends)


def _backend(image: Resolved) -> receipts.Backend:
    return receipts.Backend(image.image_id, image.reference, image.source, not image.exact)


def _named(files: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    return ", ".join(f"`{name}`" for name in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def _ran_file(project: Project) -> Path:
    return project.state / "test" / "ran.jsonl"
