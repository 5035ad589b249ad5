"""Data that a set begins with: a snapshot that `devenv snapshot save` has made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from devenv.engine import Engine
from devenv.model import Model
from devenv.project import Project
from devenv.runtimes.holdings import fill_volume, holdings_of
from devenv.snapshots import Snapshot, check, find
from devenv.snapshots.manifest import verify
from devenv.snapshots.store import folder
from devenv.testing.labels import PROJECT, SET


@dataclass(frozen=True)
class Seed:
    """A snapshot, and the project in whose sets it goes."""

    project: Project
    snapshot: Snapshot

    @cached_property
    def hash(self) -> str:
        """Changes with the snapshot, whatever its name."""
        return sha256(self.snapshot.to_json().encode()).hexdigest()

    def fill(self, engine: Engine, model: Model, set_id: str, backend: str, image: str) -> None:
        """Make the volumes of one backend, with what the snapshot has for it; raises DevenvError unless it fits."""
        labels = {PROJECT: self.project.name, SET: set_id}
        holdings = holdings_of(model, lambda key: f"{set_id}-{key}")
        for part, holding in check(self.project, self.snapshot, holdings, engine).items():
            if part.backend == backend:
                archive = verify(folder(self.project, self.snapshot.name), part)
                engine.post("/volumes/create", {"Name": holding.place, "Labels": labels})
                fill_volume(engine, labels, holding, image, archive)


def load(project: Project, name: str) -> Seed:
    """The snapshot of this name; raises UsageError where there is none."""
    return Seed(project, find(project, name))
