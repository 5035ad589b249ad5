"""The platform on a kind cluster: the verbs on what was started."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from devenv.doctor.programs import use_folder
from devenv.engine import Engine
from devenv.errors import DevenvError, UsageError, nearest
from devenv.project import Project
from devenv.runtimes import runtime
from devenv.runtimes.holdings import settle
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.runtime import DataCopier, Instance, ServiceStatus

if TYPE_CHECKING:
    from devenv.kubernetes.kubectl import Kubectl
    from devenv.kubernetes.workloads import Workload
    from devenv.shell import Runner


@dataclass(frozen=True)
class KindRuntime:
    """The verbs, through `kubectl` and the namespace that the last `up --k8s` used."""

    project: Project
    runner: Runner
    name: str = runtime.KIND

    def __post_init__(self) -> None:
        # `up --k8s` may have built kind and kubectl into devenv's own folder.
        use_folder()

    @property
    def cluster(self) -> Cluster:
        """The cluster of this checkout."""
        return Cluster(self.project, self.runner)

    def status(self) -> list[ServiceStatus]:
        """Every workload of the namespace; nothing while the cluster is stopped."""
        if not self._is_running():
            return []
        known = self._known()
        found = []
        for one in self._observe():
            urls = tuple(f"{known['url']}{path}" for path in known.get("paths", {}).get(one.name, []))
            instances = tuple(Instance(pod["metadata"]["name"], pod["metadata"]["uid"], _sentence(pod))
                              for pod in one.pods)
            found.append(ServiceStatus(one.name, one.condition, urls, instances))
        return found

    def mode(self) -> str:
        """`live reload` or `as built`."""
        return "as built" if self._known().get("as_built") else "live reload"

    def logs(self, names: Sequence[str], *, follow: bool, since: str | None, tail: int | None,
             timestamps: bool) -> int:
        """Through `kubectl logs`, all pods of the services together."""
        self._existing(names)
        label = "app.kubernetes.io/name"
        selector = f"{label} in ({','.join(names)})" if names else label
        flags = ["--follow"] if follow else []
        if since:
            flags += ["--since-time" if "T" in since else "--since", since]
        flags += ["--tail", str(tail if tail is not None else -1)]
        flags += ["--timestamps"] if timestamps else []
        return self.runner.call(*self._kubectl().argv("logs", "--selector", selector, "--prefix",
                                                      "--all-containers", "--max-log-requests", "50", *flags))

    def execute(self, service: str, words: Sequence[str], terminal: bool) -> int:
        """Through `kubectl exec`, in the first running pod."""
        pods = self._existing([service])[service].pods
        running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
        if not running:
            raise DevenvError(f"`{service}` does not run", "devenv status")
        flags = ["--stdin", "--tty"] if terminal else []
        return self.runner.call(*self._kubectl().argv("exec", *flags, running[0]["metadata"]["name"], "--", *words))

    def restart(self, names: Sequence[str]) -> None:
        """Roll the pods of services over and wait until the new ones are usable."""
        from devenv import output
        from devenv.kubernetes import workloads

        chosen = [one for name, one in self._existing(names).items()
                  if one.kind != "Job" and (not names or name in names)]
        with output.step(f"Restart {', '.join(one.name for one in chosen)}"):
            self._kubectl().read("rollout", "restart", *(f"{one.kind.lower()}/{one.name}" for one in chosen))
        with output.step("Wait until everything is usable"):
            workloads.wait(self._kubectl(), self.project.config.timeout_s, only=[one.name for one in chosen])

    def data(self, backends: Sequence[str]) -> list[str]:
        """Names of the volume claims of StatefulSets; raises UsageError for a name without data."""
        return sorted(claim for claims in self._claims(backends).values() for claim in claims)

    def reset(self, backends: Sequence[str]) -> None:
        """Delete the claims while nothing uses them; one-shots go too, so that the next `up` prepares the new data."""
        kubectl = self._kubectl()
        claims = self._claims(backends)
        for name in claims:
            kubectl.read("scale", f"statefulset/{name}", "--replicas=0")
        for names in claims.values():
            kubectl.read("delete", "persistentvolumeclaim", *names, "--wait")
        jobs = [one.name for one in self._observe() if one.kind == "Job"]
        if jobs:
            kubectl.read("delete", "job", *jobs, "--wait")
        (self.cluster.state / "up.json").unlink(missing_ok=True)

    def data_copier(self) -> DataCopier:
        """Directories of the node, through the engine."""
        from devenv.runtimes.kind.data import KindData

        return KindData(self.cluster, self._kubectl(), Engine(timeout_s=120), self._known())

    def seed(self) -> str:
        """Run the suspended CronJobs once."""
        from devenv.runtimes.kind.seeding import seed

        self._existing([])
        return seed(self._kubectl())

    def down(self) -> None:
        """Stop the cluster and its registry; what they hold stays."""
        from devenv.runtimes.kind.registry import Registry
        from devenv.runtimes.kind.tilt import Tilt

        engine = Engine()
        Tilt(self.cluster, self.runner).down()
        container, registry = self.cluster.container(engine), Registry(self.cluster, engine, self.runner)
        for name in [*([container["Id"]] if container else []), *([registry.name] if registry.exists() else [])]:
            engine.post(f"/containers/{name}/stop", timeout_s=60, t=20)

    def delete(self) -> None:
        """Delete the cluster and the registry with all they hold."""
        from devenv.runtimes.kind.registry import Registry
        from devenv.runtimes.kind.tilt import Tilt

        Tilt(self.cluster, self.runner).down()
        self.cluster.delete()
        Registry(self.cluster, Engine(), self.runner).delete()
        for name in ("up.json", "seeded.json"):
            (self.cluster.state / name).unlink(missing_ok=True)
        settle(self.project)

    def _known(self) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads((self.cluster.state / "up.json").read_text())
        except (OSError, ValueError):
            return {}
        return data

    def _kubectl(self) -> Kubectl:
        return self.cluster.kubectl(str(self._known().get("namespace", "default")))

    def _is_running(self) -> bool:
        container = self.cluster.container(Engine())
        return container is not None and container["State"] == "running" and bool(self._known())

    def _observe(self) -> list[Workload]:
        from devenv.kubernetes.workloads import observe

        return observe(self._kubectl())

    def _existing(self, names: Sequence[str]) -> dict[str, Workload]:
        if not self._is_running():
            raise DevenvError(f"the cluster `{self.cluster.name}` does not run", "devenv up --k8s")
        found = {one.name: one for one in self._observe()}
        for name in names:
            if name not in found:
                raise UsageError(f"no service or backend named `{name}` exists",
                                 nearest(name, found) or f"there are: {', '.join(sorted(found))}")
        return found

    def _claims(self, backends: Sequence[str]) -> dict[str, list[str]]:
        """StatefulSet -> its volume claims."""
        sets = {name for name, one in self._existing(backends).items() if one.kind == "StatefulSet"}
        for name in backends:
            if name not in sets:
                raise UsageError(f"`{name}` keeps no data", f"backends: {', '.join(sorted(sets))}")
        found: dict[str, list[str]] = {name: [] for name in (backends or sorted(sets))}
        for claim in self._kubectl().items("persistentvolumeclaims"):
            for name in found:
                # `<template>-<set>-<ordinal>` is Kubernetes' own rule for the names of these claims.
                if claim["metadata"]["name"].rpartition("-")[0].endswith(f"-{name}"):
                    found[name].append(claim["metadata"]["name"])
        return {name: claims for name, claims in found.items() if claims}


def _sentence(pod: dict[str, Any]) -> str:
    statuses = pod["status"].get("containerStatuses", [])
    restarts = sum(one.get("restartCount", 0) for one in statuses)
    waiting = [one["state"]["waiting"]["reason"] for one in statuses if "waiting" in one.get("state", {})]
    said = waiting[0] if waiting else str(pod["status"].get("phase", ""))
    if said == "Running" and (started := pod["status"].get("startTime")):
        said = f"Running {_age(datetime.now(UTC) - datetime.fromisoformat(started))}"
    return f"{said}, {restarts} restarts" if restarts else said


def _age(age: timedelta) -> str:
    """As kubectl shows it: the largest unit."""
    seconds = int(age.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
