"""The small project, with an environment on a cluster."""

from pathlib import Path
from typing import TypeVar

from devenv.runtimes.kind.cluster import NODE_HTTP, Cluster
from devenv.runtimes.kind.registry import Registry
from tests.e2e.promotion.project import Trial

T = TypeVar("T", bound=Trial)


def trial_on(made: Cluster, registry: Registry, root: Path, kind: type[T] = Trial) -> T:
    """`devenv promote` reaches it by its kubeconfig alone."""
    uid = made.kubectl().read("get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}")
    return kind(root, f"kind-{made.name}", made.kubeconfig, uid, registry.host,
                f"http://localhost:{made.host_port(NODE_HTTP)}/")
