"""What Argo CD says of an environment: whether it has brought a commit, and why it never will.

Source: the type Application of argoproj.io/v1alpha1, Argo CD 3.6.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devenv.kubernetes.kubectl import Kubectl

Status = Mapping[str, Any]
# Whether a revision is the commit that is waited for, or as good.
Counts = Callable[[str], bool]
_KIND = "applications.argoproj.io"
# A refused object may be one whose namespace is just being made; an error of rendering, that of the commit before.
# An autoscaler without metrics is `Degraded` for the first minute of its pods: theirs are told by the pods themselves.
REFUSED_S, ERROR_S, DEGRADED_S = 15, 45, 90


@dataclass(frozen=True)
class Application:
    """An Application, by the cluster and namespace in which Argo CD runs."""

    kubectl: Kubectl
    name: str

    def look(self) -> dict[str, Any]:
        """As the cluster has it; nothing where it is not there."""
        text = self.kubectl.read("get", _KIND, self.name, "--ignore-not-found", "--output", "json")
        return json.loads(text) if text.strip() else {}

    def refresh(self) -> None:
        """Let Argo CD look at the branch now, and not when its time has come."""
        self.kubectl.read("annotate", _KIND, self.name, "--overwrite", "argocd.argoproj.io/refresh=normal")

    def end_operation(self) -> None:
        """End a sync that is under way: until it ends, Argo CD begins no other. As `argocd app terminate-op` does."""
        self.kubectl.read("patch", _KIND, self.name, "--type=merge", "--patch",
                          json.dumps({"status": {"operationState": {"phase": "Terminating"}}}))


def is_synced(status: Status, counts: Counts) -> bool:
    """Whether the cluster's objects are those of the commit."""
    sync = status.get("sync", {})
    return sync.get("status") == "Synced" and counts(sync.get("revision", ""))


def missing(status: Status, counts: Counts) -> str:
    """What the end is waiting for; empty where the commit is in the cluster and healthy."""
    sync, health = status.get("sync", {}), status.get("health", {}).get("status", "Unknown")
    if not counts(sync.get("revision", "")):
        return f"Argo CD is at {sync.get('revision', '')[:12] or 'no commit'}"
    if sync.get("status") != "Synced":
        return f"Argo CD has seen the commit and is `{sync.get('status', 'Unknown')}`"
    if status.get("operationState", {}).get("phase") in ("Running", "Terminating"):
        return f"Argo CD's sync goes on: {status['operationState'].get('message', '')}"
    return "" if health == "Healthy" else f"Argo CD says `{health}`"


def reasons(status: Status, counts: Counts) -> Iterator[tuple[str, float]]:
    """Why waiting is useless, each with the seconds that it may last before it counts."""
    operation = status.get("operationState", {})
    result = operation.get("syncResult", {})
    if counts(result.get("revision", "")):
        for one in result.get("resources", []):
            if one.get("status") == "SyncFailed":
                yield f"{one.get('kind')}/{one.get('name')} is refused: {one.get('message', '')}", REFUSED_S
        if operation.get("phase") in ("Failed", "Error"):
            yield f"the sync failed: {operation.get('message', '')}", REFUSED_S
    for condition in status.get("conditions", []):
        if condition["type"].endswith("Error"):
            yield f"{condition['type']}: {condition.get('message', '')}", ERROR_S
    if is_synced(status, counts) and status.get("health", {}).get("status") == "Degraded":
        yield f"Degraded: {status['health'].get('message', '') or 'an object is not healthy'}", DEGRADED_S


def blocks(status: Status, counts: Counts) -> bool:
    """Whether Argo CD knows the commit, and a sync of another one that is still under way keeps it from beginning."""
    operation = status.get("operationState", {})
    revision = operation.get("syncResult", {}).get("revision", "")
    return bool(counts(status.get("sync", {}).get("revision", "")) and operation.get("phase") == "Running"
                and revision and not counts(revision))
