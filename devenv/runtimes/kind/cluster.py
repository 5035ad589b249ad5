"""One kind cluster per checkout: its name, its ports, its configuration."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from devenv.compose import load_yaml
from devenv.engine import Engine
from devenv.environment import RELOADER
from devenv.errors import CommandError, DevenvError
from devenv.kubernetes.kubectl import Kubectl
from devenv.project import Project, write_whole
from devenv.runtimes.kind import orphans
from devenv.shell import Runner

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
RELOADER_MOUNT = "/opt/devenv/reload"
NODE_HTTP, NODE_HTTPS = 30080, 30443
_DEFAULT: dict[str, Any] = {
    "kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4", "networking": {"apiServerAddress": "127.0.0.1"},
    "nodes": [{"role": "control-plane", "extraPortMappings": [
        {"containerPort": NODE_HTTP, "hostPort": 8480, "listenAddress": "127.0.0.1", "protocol": "TCP"},
        {"containerPort": NODE_HTTPS, "hostPort": 8443, "listenAddress": "127.0.0.1", "protocol": "TCP"},
    ]}],
}


@dataclass(frozen=True)
class Cluster:
    """The cluster of a checkout, whether it exists or not."""

    project: Project
    runner: Runner

    @property
    def name(self) -> str:
        """A name that kind accepts (`^[a-z0-9.-]+$`), derived from the checkout."""
        return re.sub(r"[^a-z0-9.-]", "-", self.project.name)

    @property
    def node(self) -> str:
        """The container of its one node."""
        return f"{self.name}-control-plane"

    @property
    def state(self) -> Path:
        """Where what concerns the cluster is kept, git-ignored."""
        return self.project.state / "kind"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of its own: the person's stays as it is."""
        return self.state / "kubeconfig"

    def kubectl(self, namespace: str = "") -> Kubectl:
        """`kubectl` that can reach this cluster only."""
        return Kubectl(self.runner, self.kubeconfig, f"kind-{self.name}", namespace)

    def configuration(self) -> dict[str, Any]:
        """`k8s/kind.yaml`, or the default, with this checkout's name, ports and paths."""
        path = self.project.root / "k8s" / "kind.yaml"
        data = load_yaml(path) if path.is_file() else json.loads(json.dumps(_DEFAULT))
        data["name"] = self.name
        for node in data.get("nodes") or []:
            for port in node.get("extraPortMappings") or []:
                port["hostPort"] = int(port["hostPort"]) + self.project.checkout.port_offset
                if port.get("listenAddress") != "127.0.0.1":
                    raise DevenvError(f"`{path}`: port {port['hostPort']} would listen beyond this machine",
                                      "give it `listenAddress: 127.0.0.1`")
            for mount in node.get("extraMounts") or []:
                here = RELOADER if mount["containerPath"] == RELOADER_MOUNT else mount["hostPath"]
                mount["hostPath"] = str(self.project.root / here)
        return data

    def host_port(self, node_port: int) -> int:
        """The port on this machine that leads to a NodePort; raises DevenvError where none does."""
        for node in self.configuration().get("nodes") or []:
            for port in node.get("extraPortMappings") or []:
                if int(port["containerPort"]) == node_port:
                    return int(port["hostPort"])
        raise DevenvError(f"no port of this machine leads to NodePort {node_port}",
                          "add it to `extraPortMappings` in k8s/kind.yaml")

    def url(self) -> str:
        """Where the ingress controller answers."""
        return f"https://localhost:{self.host_port(NODE_HTTPS)}"

    def container(self, engine: Engine) -> dict[str, Any] | None:
        """The node's container as the engine lists it, or None."""
        listed = engine.get("/containers/json", all=1, filters={"label": [f"{CLUSTER_LABEL}={self.name}"]})
        return listed[0] if listed else None

    def own_container(self, engine: Engine) -> dict[str, Any] | None:
        """As `container`; raises DevenvError for one of this name that this checkout did not make."""
        found = self.container(engine)
        if found is not None and not self.state.is_dir():
            raise DevenvError(f"a cluster `{self.name}` exists that this checkout did not make",
                              f"kind delete cluster --name {self.name}")
        return found

    def started(self, engine: Engine) -> str:
        """When its node was started (UTC, ISO 8601)."""
        return str(engine.container(self.node)["State"]["StartedAt"])

    def create(self, image: str) -> None:
        """Create it; raises CommandError with kind's last words."""
        self.state.mkdir(parents=True, exist_ok=True)
        write_whole(self._config, json.dumps(self.configuration(), indent=1))
        self.runner.log(*self._creation(image), log=self.project.state / "logs" / "kind-create.log")
        write_whole(self.state / "created", image + "\n")

    def end_creation(self, image: str) -> None:
        """End the `kind create` that a killed `up` may have left at work."""
        orphans.end(self._creation(image))

    @property
    def _config(self) -> Path:
        return self.state / "cluster.json"

    def _creation(self, image: str) -> tuple[str, ...]:
        return ("kind", "create", "cluster", "--name", self.name, "--image", image, "--config", str(self._config),
                "--kubeconfig", str(self.kubeconfig), "--wait", "120s")

    def is_whole(self) -> bool:
        """Whether its creation ended well."""
        return (self.state / "created").is_file()

    def ensure_kubeconfig(self) -> None:
        """Write its kubeconfig again where somebody removed the file, or its context from it."""
        try:
            known = f"name: kind-{self.name}\n" in self.kubeconfig.read_text()
        except OSError:
            known = False
        if not known:
            self.runner.log("kind", "export", "kubeconfig", "--name", self.name, "--kubeconfig", str(self.kubeconfig),
                            log=self.project.state / "logs" / "kind-export.log")

    def wait_for_api(self, timeout_s: float = 120) -> None:
        """Return when its API server is ready; raises DevenvError after `timeout_s` seconds."""
        self.ensure_kubeconfig()
        deadline = monotonic() + timeout_s
        while True:
            try:
                self.kubectl().read("get", "--raw", "/readyz", timeout_s=5)
                return
            except CommandError as failure:
                if monotonic() > deadline:
                    raise DevenvError(f"the cluster `{self.name}` does not answer:\n{failure.output}",
                                      f"docker logs {self.node}; to make it again: devenv down --delete") from None
                sleep(0.3)

    def delete(self) -> None:
        """Delete it with all its data."""
        (self.state / "created").unlink(missing_ok=True)
        self.runner.log("kind", "delete", "cluster", "--name", self.name, "--kubeconfig", str(self.kubeconfig),
                        log=self.project.state / "logs" / "kind-delete.log")
