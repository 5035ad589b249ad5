"""The data of the backends on a kind cluster: directories of its node, copied while the node is stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv import output
from devenv.engine import Engine, Sink
from devenv.errors import DevenvError, UsageError
from devenv.kubernetes import workloads
from devenv.kubernetes.kubectl import Kubectl
from devenv.runtimes.holdings import LABEL, Holding, container, owned
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.reach import wait_until_reached
from devenv.tls import authority


@dataclass(frozen=True)
class KindData:
    """The volume claims of one cluster's StatefulSets; `known` is what the last `up` remembered."""

    cluster: Cluster
    kubectl: Kubectl
    engine: Engine
    known: Mapping[str, Any]

    def holdings(self) -> list[Holding]:
        """One for each volume claim; starts the node if it is stopped, as after a restoring that was cut off."""
        if not self.known or not self.cluster.is_whole():
            raise DevenvError(f"the cluster `{self.cluster.name}` holds no platform yet", "devenv up --k8s")
        if self._node()["State"] != "running":
            with output.step("Start the cluster, to see where its data lies"):
                self._start()
        volumes = {one["metadata"]["name"]: one["spec"] for one in self.kubectl.items("persistentvolumes")}
        claims = {one["metadata"]["name"]: one["spec"] for one in self.kubectl.items("persistentvolumeclaims")}
        found = []
        for one in self.kubectl.items("statefulsets"):
            name, spec = one["metadata"]["name"], one["spec"]
            for template in spec.get("volumeClaimTemplates") or []:
                if spec.get("replicas", 1) > 1:
                    raise UsageError(f"`{name}` has {spec['replicas']} replicas, and a snapshot holds one",
                                     "give it one replica in k8s/overlays/local")
                claim = f"{template['metadata']['name']}-{name}-0"  # Kubernetes' own rule for these names
                found.append(_holding(name, spec["template"]["spec"], template["metadata"]["name"],
                                      volumes[claims[claim]["volumeName"]]))
        return found

    @contextmanager
    def still(self) -> Iterator[None]:
        """The node is stopped inside the block; everything is usable again after it."""
        with output.step("Stop the cluster, so that all data is of one moment"):
            self.engine.post(f"/containers/{self._node()['Id']}/stop", timeout_s=60, t=20)
        try:
            yield
        finally:
            with output.step("Start it again"):
                self._start()
                timeout_s = self.cluster.project.config.timeout_s
                workloads.wait(self.kubectl, timeout_s, since=self.cluster.started(self.engine))
                trusted = authority(self.cluster.runner).certificate
                for path in [path for paths in self.known["paths"].values() for path in paths]:
                    wait_until_reached(f"{self.known['url']}{path}", trusted, timeout_s)

    def pack(self, holding: Holding, sink: Sink) -> None:
        """Write a claim's content to `sink`."""
        self.engine.pack(str(self._node()["Id"]), holding.place, sink)

    def replace(self, holding: Holding, archive: Path) -> None:
        """Empty a claim's directory and unpack the archive there, for the user that the pod runs as."""
        node = self._node()
        self._empty(node, holding.place)
        with owned(archive, holding.user) as fitting:
            self.engine.unpack(str(node["Id"]), holding.place, fitting)

    def _empty(self, node: Mapping[str, Any], place: str) -> None:
        words = ["find", place, "-mindepth", "1", "-delete"]
        labels = {LABEL: self.cluster.project.name}
        with container(self.engine, labels, node["ImageID"], words, VolumesFrom=[node["Id"]]) as identity:
            self.engine.post(f"/containers/{identity}/start", timeout_s=60)
            ended = self.engine.post(f"/containers/{identity}/wait", timeout_s=120)
            if ended["StatusCode"]:
                said = "\n".join(self.engine.logs(identity))
                raise DevenvError(f"`{place}` in the node could not be emptied: {said}", "devenv down --delete")

    def _start(self) -> None:
        self.engine.post(f"/containers/{self._node()['Id']}/start", timeout_s=60)
        self.cluster.wait_for_api()

    def _node(self) -> dict[str, Any]:
        found = self.cluster.container(self.engine)
        if found is None:
            raise DevenvError(f"the cluster `{self.cluster.name}` is not there", "devenv up --k8s")
        return found


def _holding(name: str, pod: Mapping[str, Any], volume: str, spec: Mapping[str, Any]) -> Holding:
    one, mount = next((each, mount) for each in pod["containers"] for mount in each.get("volumeMounts") or []
                      if mount["name"] == volume)
    source = spec.get("hostPath") or spec.get("local")
    if not source:
        raise UsageError(f"the data of `{name}` is in a volume that lies outside of the node",
                         "use the cluster's own storage class")
    context = {**(pod.get("securityContext") or {}), **(one.get("securityContext") or {})}
    ids = [str(context[key]) for key in ("runAsUser", "runAsGroup") if key in context]
    return Holding(name, str(one["image"]), str(mount["mountPath"]), str(source["path"]), ":".join(ids))
