"""Demo data on a cluster: a suspended CronJob is something to run on request."""

from __future__ import annotations

import json
from time import monotonic, sleep, time

from devenv.errors import DevenvError
from devenv.kubernetes.kubectl import Kubectl
from devenv.project import write_whole
from devenv.runtimes.kind.cluster import Cluster
from devenv.runtimes.kind.manifests import Overlay

DEADLINE_S = 180


def seed(kubectl: Kubectl) -> str:
    """Run every suspended CronJob once; returns what they wrote."""
    found = [one["metadata"]["name"] for one in kubectl.items("cronjobs") if one["spec"].get("suspend")]
    if not found:
        raise DevenvError("the manifests have no demo data: there is no suspended CronJob",
                          "make one in k8s/overlays/local, then try again")
    return "".join(_run(kubectl, name) for name in found)


def seed_once(cluster: Cluster, kubectl: Kubectl, overlay: Overlay) -> None:
    """Load the demo data unless these volumes have it already."""
    if not any(one["kind"] == "CronJob" and one["spec"].get("suspend") for one in overlay.objects):
        return
    claims = {one["metadata"]["name"]: one["metadata"]["uid"] for one in kubectl.items("persistentvolumeclaims")}
    path = cluster.state / "seeded.json"
    try:
        if json.loads(path.read_text()) == claims:
            return
    except (OSError, ValueError):
        pass
    seed(kubectl)
    write_whole(path, json.dumps(claims))


def _run(kubectl: Kubectl, name: str) -> str:
    job = f"{name}-{int(time() * 1000) % 10**9}"
    kubectl.read("create", "job", f"--from=cronjob/{name}", job)
    deadline = monotonic() + DEADLINE_S
    while True:
        status = kubectl.get("job", job).get("status", {})
        done = {one["type"] for one in status.get("conditions", []) if one["status"] == "True"}
        if "Complete" in done:
            # Only what the program wrote to standard output; its log lines are JSON.
            lines = kubectl.read("logs", f"job/{job}").splitlines()
            return "".join(f"{line}\n" for line in lines if not line.startswith("{"))
        if "Failed" in done or monotonic() > deadline:
            said = kubectl.read("logs", f"job/{job}", "--tail", "8")
            raise DevenvError(f"`{name}` could not load the demo data:\n{said}", "devenv status")
        sleep(0.3)
