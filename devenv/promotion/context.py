"""What the steps of a promotion hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from devenv.config import Environment
from devenv.config.gitops import Gitops
from devenv.engine import Engine
from devenv.kubernetes.kubectl import Kubectl
from devenv.kubernetes.patience import Patient
from devenv.project import Project
from devenv.promotion.argocd import Application
from devenv.promotion.branch import Branch, top
from devenv.promotion.compare import Change
from devenv.promotion.lease import Lease
from devenv.promotion.release import Image, Release
from devenv.receipts import Receipt
from devenv.shell import Runner
from devenv.terraform import Plan, Terraform

Object = dict[str, Any]
REQUEST_TIMEOUT_S = 20
# The variant of each add-on in k8s/addons that a real environment's cluster has.
CLOUD = "aws"


@dataclass(frozen=True)
class Options:
    """What the command line asks for beyond the environment."""

    dry_run: bool = False
    take_over: bool = False


@dataclass(frozen=True)
class Place:
    """What a promotion brings and reaches, where that is not the project's own: a rehearsal's."""

    project: Project  # whose k8s/ and Terraform are brought, and where the release's files are written
    kubeconfig: Path
    terraform: Mapping[str, str]  # added to its environment
    url: str  # where the platform answers
    authority: Path  # who signed its certificate
    addons: tuple[Path, ...]


@dataclass
class Promotion:
    """One environment, what should run there, and what is known of it so far."""

    project: Project
    runner: Runner
    engine: Engine
    environment: Environment
    options: Options
    # Asks a question and returns whether the person agrees.
    confirm: Callable[[str], bool]
    place: Place | None = None
    local: Mapping[str, Any] = field(default_factory=dict)
    receipt: Receipt | None = None
    plan: Plan | None = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    # The other environment's release that this one takes.
    taken: Release | None = None
    releases: tuple[Release, ...] = ()
    namespace_exists: bool = False
    # linux/amd64, of the cluster's nodes.
    platforms: frozenset[str] = frozenset()
    # What should run, and how that differs from what runs.
    target: Release | None = None
    changes: tuple[Change, ...] = ()
    obsolete: tuple[Object, ...] = ()
    # By commit: the branch's newest, and the objects that its folder holds.
    tip: str = ""
    committed: tuple[Object, ...] = ()
    lease: Lease | None = None
    # Set before the first write to the cluster: from there on, a failure goes back.
    began: bool = False
    unchanged: bool = False

    def __post_init__(self) -> None:
        # No Argo CD runs in a rehearsal's cluster, and nothing of it belongs in the real branch.
        if self.place and self.environment.gitops:
            self.environment = replace(self.environment, gitops=None)

    @property
    def home(self) -> Project:
        """Whose manifests and Terraform are brought; receipts and images are always those of `project`."""
        return self.place.project if self.place else self.project

    @property
    def state(self) -> Path:
        """Where this environment's machine-written files lie, git-ignored."""
        return self.home.state / "releases" / self.environment.name

    @property
    def kubeconfig(self) -> Path | None:
        """The file that knows the context; None: where kubectl itself looks."""
        return self.place.kubeconfig if self.place else None

    @property
    def cluster(self) -> Kubectl:
        """`kubectl` for the environment's context; a request has a limit, and questions outlast a short silence."""
        return Patient(self.runner, self.kubeconfig, self.environment.context, request_timeout_s=REQUEST_TIMEOUT_S)

    @cached_property
    def namespace(self) -> str:
        """Where the project's objects and the records of its releases are; read from the overlay, once."""
        from devenv.promotion.render import namespace_of

        return namespace_of(self.home.root, self.environment.overlay)

    @property
    def kubectl(self) -> Kubectl:
        """`kubectl` in the project's namespace."""
        return self.cluster.within(self.namespace)

    @property
    def terraform(self) -> Terraform | None:
        """Terraform for the environment's folder, if it has one."""
        if not self.environment.terraform:
            return None
        return Terraform(self.runner, self.home.root / self.environment.terraform, self.state / "terraform",
                         self.place.terraform if self.place else {})

    @property
    def addons(self) -> tuple[Path, ...]:
        """The add-ons that the environment's cluster has, as folders of manifests."""
        if self.place:
            return self.place.addons
        files = (self.home.root / "k8s" / "addons").glob(f"*/{CLOUD}/kustomization.yaml")
        return tuple(sorted(file.parent for file in files))

    @property
    def registry(self) -> str:
        """Where images go; empty where neither devenv.toml nor Terraform says it."""
        return self.environment.registry or str(self.outputs.get("registry_url", ""))

    @property
    def url(self) -> str:
        """Where the platform answers; empty where Terraform does not say it."""
        if self.place:
            return self.place.url
        return str(self.outputs.get("dns", {}).get("url", ""))

    @property
    def authority(self) -> Path | None:
        """Who signed the platform's certificate, where that is nobody whom this machine trusts anyway."""
        return self.place.authority if self.place else None

    @property
    def current(self) -> Release | None:
        """The release that should be running: the last that was deployed, or what is committed."""
        if self.committed:
            by_hand = Release("by hand", {}, "", "", "", "", "", status="deployed", objects=self.committed)
            return next((one for one in self.releases if one.objects == self.committed), by_hand)
        return next((one for one in self.releases if one.status == "deployed"), None)

    @cached_property
    def branch(self) -> Branch:
        """Where this environment's releases are committed."""
        gitops = self.gitops
        root = top(self.runner, self.project.root)
        folder = gitops.folder.strip("/") or f"k8s/releases/{self.environment.name}"
        return Branch(self.runner, root, self.state, gitops.remote, gitops.branch, folder)

    @property
    def application(self) -> Application:
        """What brings them to the cluster."""
        gitops = self.gitops
        kubectl = Patient(self.runner, None, gitops.context or self.environment.context, gitops.namespace,
                          request_timeout_s=REQUEST_TIMEOUT_S)
        return Application(kubectl, gitops.application or f"{self.project.title}-{self.environment.name}")

    @property
    def gitops(self) -> Gitops:
        """The environment's settings for that."""
        assert self.environment.gitops is not None
        return self.environment.gitops
