"""What the steps of `up --k8s` hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from devenv.compose import Compose
from devenv.engine import Engine
from devenv.images.bake import image_name
from devenv.images.resolve import Resolved
from devenv.kubernetes.kubectl import Kubectl
from devenv.model import Model
from devenv.project import Project
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.manifests import Overlay
from devenv.runtimes.kind.registry import Registry
from devenv.runtimes.request import Request
from devenv.shell import Runner


@dataclass
class KindUp:
    """The project as it is asked to run, and what the steps have found out."""

    project: Project
    runner: Runner
    engine: Engine
    request: Request
    ci: bool = False
    with_tilt: bool = False
    sources: tuple[Path, ...] = ()
    compose: Compose = field(init=False)
    model: Model = field(init=False)
    overlay: Overlay = field(init=False)
    addons: tuple[Overlay, ...] = ()
    images: dict[str, Resolved] = field(default_factory=dict)
    applied: Path = field(init=False)
    notes: list[str] = field(default_factory=list)

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.project, self.runner)

    @property
    def registry(self) -> Registry:
        return Registry(self.cluster, self.engine, self.runner)

    @property
    def kubectl(self) -> Kubectl:
        return self.cluster.kubectl(self.overlay.namespace)

    @property
    def built(self) -> dict[str, str]:
        """Service that is built -> the name of its image on this machine."""
        services = self.model.services
        return {name: image_name(self.project, one) for name, one in services.items() if one.is_built}

    def endpoints(self) -> list[dict[str, str]]:
        """Where each service behind the ingress answers."""
        return [{"service": name, "url": self.cluster.url() + path}
                for name, paths in self.overlay.paths.items() for path in paths]
