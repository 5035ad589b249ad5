"""The local registry of a cluster, by the convention of KEP-1755, and the mirror of upstream names on the node.

An image is pushed under its whole upstream name (`localhost:PORT/docker.io/library/mongo:8.0`); one `hosts.toml`
for each upstream registry leads the node there, so that manifests keep upstream's names also where no registry is
reached. Sources: containerd, docs/hosts.md; KEP-1755, "local-registry-hosting".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from time import monotonic, sleep

from devenv.engine import Engine, EngineError
from devenv.errors import DevenvError
from devenv.images.reference import parse
from devenv.runtimes.kind.cluster import Cluster
from devenv.shell import Runner

PORT, INSIDE = 5001, 5000
START_S = 30
PROJECT_LABEL = "devenv.project"
_UPSTREAM = ("docker.io", "quay.io", "ghcr.io", "registry.k8s.io", "gcr.io", "public.ecr.aws")


@dataclass(frozen=True)
class Registry:
    """The registry's container and what the node knows of it."""

    cluster: Cluster
    engine: Engine
    runner: Runner

    @property
    def name(self) -> str:
        """The container's name, by which the node reaches it."""
        return f"{self.cluster.name}-registry"

    @property
    def host(self) -> str:
        """Where this machine reaches it."""
        return f"localhost:{PORT + self.cluster.project.checkout.port_offset}"

    def exists(self) -> bool:
        """Whether its container is there, running or not."""
        return bool(self.engine.get("/containers/json", all=1, filters={"name": [f"^/{self.name}$"]}))

    def start(self, image: str) -> None:
        """Create and start it where it does not run; its images are in a volume."""
        port = self.host.rpartition(":")[2]
        if not self.exists():
            self.engine.post("/containers/create", {
                "Image": image, "Labels": {PROJECT_LABEL: self.cluster.project.name},
                "HostConfig": {
                    "RestartPolicy": {"Name": "unless-stopped"},
                    "PortBindings": {f"{INSIDE}/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]},
                    "Mounts": [{"Type": "volume", "Source": self.name, "Target": "/var/lib/registry"}],
                },
                "ExposedPorts": {f"{INSIDE}/tcp": {}},
            }, name=self.name)
        if not self.engine.container(self.name)["State"]["Running"]:
            self.engine.post(f"/containers/{self.name}/start", timeout_s=60)
        self._wait()

    def _wait(self) -> None:
        """Return when it answers; raises DevenvError after START_S seconds."""
        deadline = monotonic() + START_S
        while True:
            try:
                connection = HTTPConnection("127.0.0.1", int(self.host.rpartition(":")[2]), timeout=5)
                connection.request("GET", "/v2/")
                if connection.getresponse().status == 200:
                    return
            except (OSError, HTTPException):
                pass
            finally:
                connection.close()
            if monotonic() > deadline:
                raise DevenvError(f"the registry `{self.name}` does not answer at `{self.host}` after {START_S} s",
                                  f"docker logs {self.name}")
            sleep(0.05)

    def connect(self) -> None:
        """Put it on the node's network, tell the node's containerd, and tell tools that read the convention."""
        networks = self.engine.container(self.name)["NetworkSettings"]["Networks"]
        if "kind" not in networks:
            self.engine.post("/networks/kind/connect", {"Container": self.name})
        files = {self.host: f'[host."http://{self.name}:{INSIDE}"]\n'}
        for upstream in _UPSTREAM:
            files[upstream] = (f'[host."http://{self.name}:{INSIDE}/v2/{upstream}"]\n'
                               'capabilities = ["pull", "resolve"]\noverride_path = true\n')
        script = "".join(
            f"mkdir -p '/etc/containerd/certs.d/{name}'\n"
            f"cat > '/etc/containerd/certs.d/{name}/hosts.toml' <<'END'\n{text}END\n" for name, text in files.items()
        )
        self.runner.read("docker", "exec", "-i", self.cluster.node, "sh", "-e", stdin=script)
        hosting = f'host: "{self.host}"\nhelp: "https://kind.sigs.k8s.io/docs/user/local-registry/"\n'
        self.cluster.kubectl().apply(json.dumps({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "local-registry-hosting", "namespace": "kube-public"},
            "data": {"localRegistryHosting.v1": hosting},
        }))

    def mirrored(self, reference: str) -> str:
        """The name under which an upstream name is pushed."""
        wanted = parse(reference)
        return f"{self.host}/{wanted.registry}/{wanted.repository}:{wanted.tag or 'latest'}"

    def push(self, images: Iterable[tuple[str, str]]) -> None:
        """Push (local reference, name in the registry) pairs; layers that are there are not sent again."""
        for local, name in images:
            repository, _, tag = name.rpartition(":")
            self.engine.post(f"/images/{local}/tag", repo=repository, tag=tag)
            self.runner.log("docker", "push", "--quiet", name,
                            log=self.cluster.project.state / "logs" / "push.log")

    def delete(self) -> None:
        """Remove the container, the images it holds, and their names on this machine; all can be made again."""
        self.engine.delete(f"/containers/{self.name}", force=1)
        self.engine.delete(f"/volumes/{self.name}")
        for image in self.engine.get("/images/json"):
            for name in image.get("RepoTags") or ():
                if name.startswith(f"{self.host}/"):
                    with suppress(EngineError):  # its last name, and a container still runs it
                        self.engine.delete(f"/images/{name}")
