"""Where Deployments, StatefulSets and Jobs stand, and why one of them will never be usable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any

from devenv.errors import CommandError, DevenvError
from devenv.kubernetes.kubectl import Kubectl

NAME_LABEL = "app.kubernetes.io/name"
# On a workload: what it needs, in Compose's words (`mongodb healthy, init completed`). Kubernetes starts all at once.
NEEDS = "devenv/needs"
USABLE, STARTING, DONE, FAILED = "usable", "starting", "done", "failed"
POLL_S = 0.3
# A pod may crash while it waits for another; this many restarts are a loop.
MAX_RESTARTS = 4
# Reasons that time does not mend, in the kubelet's own words (kubernetes/kubernetes, pkg/kubelet/images and container).
_TERMINAL = {"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError"}
_PULLING = {"ErrImagePull", "ImagePullBackOff"}
# Long enough for a registry that is still coming up, and for a scheduler that waits for a volume.
PATIENCE_S = 25


@dataclass(frozen=True)
class Workload:
    """One Deployment, StatefulSet or Job, and the pods that carry its name."""

    kind: str
    name: str
    condition: str
    pods: tuple[dict[str, Any], ...]
    needs: frozenset[str] = frozenset()


def observe(kubectl: Kubectl, since: str = "") -> list[Workload]:
    """All workloads of the namespace, in one call; `since`: when the node started (UTC, ISO 8601)."""
    items = kubectl.items("deployments,statefulsets,jobs,pods")
    pods = [one for one in items if one["kind"] == "Pod"]
    found = []
    for one in items:
        if one["kind"] != "Pod":
            name = one["metadata"]["name"]
            label = one["spec"]["template"]["metadata"].get("labels", {}).get(NAME_LABEL, name)
            mine = tuple(pod for pod in pods if pod["metadata"].get("labels", {}).get(NAME_LABEL) == label)
            condition = STARTING if any(_is_outdated(pod, since) for pod in mine) else _condition(one)
            found.append(Workload(one["kind"], name, condition, mine, needs_of(one)))
    return sorted(found, key=lambda one: one.name)


def needs_of(one: Mapping[str, Any]) -> frozenset[str]:
    """The names of what an object says that it needs."""
    needs = one["metadata"].get("annotations", {}).get(NEEDS, "")
    return frozenset(entry.split()[0] for entry in needs.split(",") if entry.strip())


def wait(kubectl: Kubectl, timeout_s: float, report: Callable[[str], None] = lambda name: None,
         only: Sequence[str] = (), since: str = "") -> None:
    """Return when every workload (or those named) is usable or done; raises DevenvError with cause and evidence.

    What ran before `since` does not run any more: for seconds after a restart, pods say what they said before it.
    """
    began = monotonic()
    reported: set[str] = set()
    while True:
        seen = [one for one in observe(kubectl, since) if not only or one.name in only]
        for one in seen:
            if one.condition in (USABLE, DONE) and one.name not in reported:
                reported.add(one.name)
                report(one.name)
        waiting = causes_first([one for one in seen if one.condition not in (USABLE, DONE)])
        if not waiting and seen:
            return
        patient = monotonic() - began > PATIENCE_S
        for one in waiting:
            if problem := hopeless(one, patient):
                raise explain(kubectl, one, problem)
        if monotonic() - began > timeout_s:
            what = waiting[0] if waiting else None
            if what is None:
                raise DevenvError(f"nothing to wait for in namespace `{kubectl.namespace}`", "devenv up --k8s")
            raise explain(kubectl, what, f"not usable after {timeout_s:.0f} s")
        sleep(POLL_S)


def causes_first(waiting: Sequence[Workload]) -> list[Workload]:
    """What waits for none of the others comes first: its problem is theirs too, and it is the one to be told."""
    names = {one.name for one in waiting}
    return sorted(waiting, key=lambda one: not one.needs.isdisjoint(names))


def hopeless(workload: Workload, patient: bool) -> str | None:
    """Why waiting longer is useless, or None; `patient`: what time may mend has had its time."""
    if workload.condition == FAILED:
        return "failed"
    for pod in workload.pods:
        for state in _containers(pod):
            waiting = state.get("state", {}).get("waiting", {})
            reason, message = waiting.get("reason", ""), waiting.get("message", "")
            if reason in _TERMINAL or (reason in _PULLING and patient):
                return f"{reason}: {message}"
            if reason == "CrashLoopBackOff" and state.get("restartCount", 0) >= MAX_RESTARTS:
                return f"keeps crashing ({state['restartCount']} restarts)"
        for condition in pod["status"].get("conditions", []):
            if condition.get("reason") == "Unschedulable" and patient:
                return f"cannot be scheduled: {condition.get('message', '')}"
    return None


def explain(kubectl: Kubectl, workload: Workload, problem: str) -> DevenvError:
    """The error for a workload that did not become usable, with its last events and words."""
    name = workload.pods[-1]["metadata"]["name"] if workload.pods else workload.name
    evidence = [*_events(kubectl, name), *_last_words(kubectl, name if workload.pods else "")]
    message = f"`{workload.name}` ({workload.kind}) is not usable: {problem}"
    if evidence:
        message += "\n" + "\n".join(f"  {line}" for line in evidence)
    return DevenvError(message, f"next: devenv logs {workload.name}",
                       {"service": workload.name, "problem": problem, "evidence": evidence})


def _condition(one: dict[str, Any]) -> str:
    spec, status = one["spec"], one.get("status", {})
    if one["kind"] == "Job":
        states = {each["type"] for each in status.get("conditions", []) if each["status"] == "True"}
        return DONE if "Complete" in states else FAILED if "Failed" in states else STARTING
    wanted = spec.get("replicas", 1)
    current = status.get("observedGeneration", 0) >= one["metadata"].get("generation", 0)
    ready = status.get("readyReplicas", 0) >= wanted and status.get("updatedReplicas", 0) >= wanted
    only_new = status.get("replicas", 0) <= max(wanted, status.get("updatedReplicas", 0))
    return USABLE if current and ready and only_new else STARTING


def _is_outdated(pod: dict[str, Any], since: str) -> bool:
    """Whether the kubelet has yet to say how a pod that stays is since then."""
    return "deletionTimestamp" not in pod["metadata"] and ran_before(pod, since)


def ran_before(pod: dict[str, Any], since: str) -> bool:
    """Whether a pod claims to run in a container that was started before `since` (UTC, ISO 8601)."""
    started = [one["state"]["running"]["startedAt"] for one in _containers(pod) if "running" in one.get("state", {})]
    # To the second, which is as exact as Kubernetes says it.
    return any(at[:19] < since[:19] for at in started)


def _containers(pod: dict[str, Any]) -> Iterable[dict[str, Any]]:
    status = pod["status"]
    return [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]


def _events(kubectl: Kubectl, name: str) -> list[str]:
    try:
        items = kubectl.items("events", "--field-selector", f"involvedObject.name={name},type=Warning")
    except CommandError:
        return []
    return [f"event: {one.get('reason', '')}: {one.get('message', '')}" for one in items[-3:]]


def _last_words(kubectl: Kubectl, pod: str) -> list[str]:
    if not pod:
        return []
    for flags in (("--previous",), ()):
        try:
            lines = kubectl.read("logs", pod, "--all-containers", "--tail", "5", *flags).splitlines()
        except CommandError:
            continue
        if lines:
            return [f"log: {line[:300]}" for line in lines[-5:]]
    return []
