"""What the steps of a rehearsal hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from devenv.config import Environment
from devenv.engine import Engine
from devenv.images.resolve import Resolved
from devenv.project import Checkout, Project
from devenv.promotion.context import Promotion
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.manifests import Overlay
from devenv.runtimes.kind.registry import Registry
from devenv.shell import Runner
from devenv.terraform.mock import Account, Mock

# From the checkout's own ports; other checkouts are whole hundreds away.
PORTS_ASIDE = 50


@dataclass
class Rehearsal:
    """One environment of a project, rehearsed in a copy that is a checkout of its own: other name, other ports."""

    project: Project
    runner: Runner
    engine: Engine
    environment: Environment
    overlay: Overlay = field(init=False)
    # Those that need nothing of the release, and those that wait for it.
    addons: tuple[Overlay, ...] = ()
    waiting_addons: tuple[Overlay, ...] = ()
    ours: frozenset[str] = frozenset()  # the bare names of the services' images
    settings: dict[str, dict[str, str]] = field(default_factory=dict)  # where each stand-in is: backend -> environment
    images: dict[str, Resolved] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    account: Account | None = None
    promotion: Promotion | None = None
    _copy: Project | None = None

    @property
    def folder(self) -> Path:
        """Where everything of it lies, git-ignored."""
        return self.project.state / "rehearsal"

    @property
    def copy(self) -> Project:
        """The copy of the project; its name and ports are fixed, so that a later run finds what this one left."""
        if self._copy is None:
            root = self.folder / "copy"
            root.mkdir(parents=True, exist_ok=True)
            self._copy = Project(root, root / self.project.compose_file.name)
            own = self.project.checkout
            self._copy.remember(Checkout(f"{own.name}-rehearsal", own.port_offset + PORTS_ASIDE))
        return self._copy

    def forget_copy(self) -> None:
        """Make the copy's folder again when it is next asked for."""
        self._copy = None

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.copy, self.runner)

    @property
    def registry(self) -> Registry:
        return Registry(self.cluster, self.engine, self.runner)

    @property
    def mock(self) -> Mock:
        return Mock(f"{self.cluster.name}-aws", self.engine)

    @property
    def url(self) -> str:
        """Where the rehearsed platform answers."""
        return self.cluster.url()

    @property
    def terraform(self) -> Path | None:
        """The copied folder of all Terraform, if the environment has any."""
        first = Path(self.environment.terraform).parts[:1]
        return self.copy.root / first[0] if first else None
