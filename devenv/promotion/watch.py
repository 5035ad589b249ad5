"""Whether a rollout has come to an end, or never will: told by the reasons that Kubernetes itself gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import monotonic, sleep
from typing import Any

from devenv.errors import DevenvError
from devenv.kubernetes.kubectl import Kubectl
from devenv.kubernetes.workloads import Workload, explain

Object = dict[str, Any]
KINDS = ("Deployment", "StatefulSet", "Job")
POLL_S = 0.5
# What a second look may mend: a registry that was busy, a quota that the old pods leave, a node that is coming.
# A Secret that a controller makes may come a moment after the pod that wants it.
PULL_S, QUOTA_S, CONFIG_S, SCHEDULE_S = 6, 6, 12, 20
# A service may wait for others by crashing. On top of a release that runs there is nothing to wait for: what crashes
# and crashes again as soon as it is restarted is broken, and the third time would come 10 s later.
RESTARTS, RESTARTS_ON_TOP = 2, 1
_NEVER = {"ErrImageNeverPull", "InvalidImageName"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError"}
_PULLING = {"ErrImagePull", "ImagePullBackOff"}
_REVISION = "deployment.kubernetes.io/revision"


def watch(kubectl: Kubectl, objects: Sequence[Object], timeout_s: float, restarts: int = RESTARTS,
          clock: Callable[[], float] = monotonic, pause: Callable[[float], None] = sleep) -> None:
    """Return when each workload of `objects` runs as it says; raises DevenvError with the evidence, as early as can be.

    `timeout_s` is for what is never ready and gives no reason; so many `restarts` of a crashing pod are a loop.
    """
    began = clock()
    first_seen: dict[str, float] = {}
    while waiting := unfinished(kubectl, objects, first_seen, restarts, clock):
        if clock() - began > timeout_s:
            raise explain(kubectl, waiting[0], f"not ready after {timeout_s:.0f} s")
        pause(POLL_S)


def unfinished(kubectl: Kubectl, objects: Sequence[Object], first_seen: dict[str, float], restarts: int = RESTARTS,
               clock: Callable[[], float] = monotonic) -> list[Workload]:
    """The workloads of `objects` that do not run as they say yet; raises DevenvError for one that never will.

    `first_seen` is the caller's, from one look to the next: since when a reason is there.
    """
    wanted = {(one["kind"], one["metadata"]["name"]) for one in objects if one["kind"] in KINDS}
    if not wanted:
        return []
    items = kubectl.items("deployments,statefulsets,jobs,replicasets,pods")
    there = {(one["kind"], one["metadata"]["name"]): one for one in items}
    waiting = []
    for kind, name in sorted(wanted):
        one = there.get((kind, name))
        if one is not None and is_done(one):
            continue
        pods = pods_of(one, items) if one is not None else []
        waiting.append(Workload(kind, name, "", tuple(pods)))
        for reason, patience_s in reasons(one, pods, restarts):
            if clock() - first_seen.setdefault(f"{name} {reason.partition(':')[0]}", clock()) >= patience_s:
                raise explain(kubectl, waiting[-1], reason)
    return waiting


def is_done(one: Object) -> bool:
    """Whether a workload runs what its specification says, and nothing older."""
    spec, status = one["spec"], one.get("status", {})
    if one["kind"] == "Job":
        return any(each["type"] == "Complete" and each["status"] == "True" for each in status.get("conditions", []))
    wanted = spec.get("replicas", 1)
    return bool(status.get("observedGeneration", 0) >= one["metadata"].get("generation", 0)
                and status.get("updatedReplicas", 0) >= wanted
                and status.get("readyReplicas", 0) >= wanted
                and status.get("replicas", 0) <= wanted)


def pods_of(one: Object, items: Sequence[Object]) -> list[Object]:
    """The pods of a workload's newest revision: what an older one does is no fault of the rollout."""
    owner = one["metadata"]["uid"]
    if one["kind"] == "Deployment":
        revision = one["metadata"].get("annotations", {}).get(_REVISION)
        owner = next((each["metadata"]["uid"] for each in items if each["kind"] == "ReplicaSet"
                      and _owned(each, owner) and each["metadata"].get("annotations", {}).get(_REVISION) == revision),
                     "")
    pods = [each for each in items if each["kind"] == "Pod" and _owned(each, owner)]
    if one["kind"] == "StatefulSet":
        update = one.get("status", {}).get("updateRevision")
        pods = [each for each in pods if each["metadata"]["labels"].get("controller-revision-hash") == update]
    return pods


def reasons(one: Object | None, pods: Iterable[Object], restarts: int = RESTARTS) -> Iterable[tuple[str, float]]:
    """Why waiting is useless, each with the seconds that it may last before it counts."""
    # What is said of an older generation says nothing of this one; a Job has only one.
    if one is not None and (one["kind"] == "Job" or one.get("status", {}).get("observedGeneration", 0)
                            >= one["metadata"].get("generation", 0)):
        for condition in one.get("status", {}).get("conditions", []):
            if condition["status"] == "True" and condition["type"] == "Failed":
                yield f"failed: {condition.get('message', '')}", 0
            if condition["status"] == "True" and condition["type"] == "ReplicaFailure":
                yield f"{condition.get('reason', 'FailedCreate')}: {condition.get('message', '')}", QUOTA_S
            if condition.get("reason") == "ProgressDeadlineExceeded":
                yield f"ProgressDeadlineExceeded: {condition.get('message', '')}", 0
    for pod in pods:
        status = pod.get("status", {})
        for each in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
            waits = each.get("state", {}).get("waiting", {})
            reason, message = waits.get("reason", ""), waits.get("message", "")
            if reason in _NEVER:
                yield f"{reason}: {message}", 0
            elif reason in _CONFIG:
                yield f"{reason}: {message}", CONFIG_S
            elif reason in _PULLING:
                yield f"ErrImagePull: {message or reason}", PULL_S
            elif reason == "CrashLoopBackOff" and each.get("restartCount", 0) >= restarts:
                yield f"CrashLoopBackOff: {each['restartCount']} restarts", 0
        for condition in status.get("conditions", []):
            if condition.get("reason") == "Unschedulable":
                yield f"Unschedulable: {condition.get('message', '')}", SCHEDULE_S


def running(kubectl: Kubectl, objects: Iterable[Object]) -> dict[str, set[str]]:
    """Deployment or StatefulSet -> the digests that its pods run, as the nodes' container runtimes say."""
    wanted = [one for one in objects if one["kind"] in ("Deployment", "StatefulSet")]
    items = kubectl.items("deployments,statefulsets,replicasets,pods")
    found: dict[str, set[str]] = {}
    for one in wanted:
        there = next((each for each in items if each["kind"] == one["kind"]
                      and each["metadata"]["name"] == one["metadata"]["name"]), None)
        pods = pods_of(there, items) if there else []
        found[one["metadata"]["name"]] = {
            each.get("imageID", "").rpartition("@")[2] for pod in pods if not pod["metadata"].get("deletionTimestamp")
            for each in pod.get("status", {}).get("containerStatuses", [])}
    return found


def check_running(kubectl: Kubectl, objects: Sequence[Object]) -> None:
    """Raise DevenvError unless every pod runs the digests that `objects` name."""
    seen = running(kubectl, objects)
    for one in objects:
        name = one["metadata"]["name"]
        if name in seen and one["kind"] in ("Deployment", "StatefulSet"):
            wanted = {each["image"].rpartition("@")[2] for each in one["spec"]["template"]["spec"]["containers"]}
            strange = seen[name] - wanted
            if strange or (one["spec"].get("replicas", 1) and not seen[name]):
                raise DevenvError(f"`{name}` runs {', '.join(sorted(strange)) or 'nothing'}, and should run "
                                  f"{', '.join(sorted(wanted))}", "kubectl get pods, and look for what changes images")


def _owned(one: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", []))
