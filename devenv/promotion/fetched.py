"""Whether the logins are there that pods read: fetched by External Secrets from the cloud's store.

Source: external-secrets.io/v1, ExternalSecret: condition `Ready`; `syncedResourceVersion` begins with the generation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import monotonic, sleep
from typing import Any

from devenv.errors import DevenvError
from devenv.kubernetes.kubectl import Kubectl
from devenv.kubernetes.workloads import Workload, explain

Object = dict[str, Any]
KIND = "ExternalSecret"
POLL_S = 0.5
# The controller tries again by itself: after a store that comes late, or rights that came with this release.
PATIENCE_S = 30


def fetched(kubectl: Kubectl, objects: Iterable[Object], timeout_s: float, clock: Callable[[], float] = monotonic,
            pause: Callable[[float], None] = sleep) -> None:
    """Return when each ExternalSecret of `objects` has been fetched as it is now; raises DevenvError with the evidence.

    `timeout_s` is for a controller that says nothing.
    """
    wanted = {one["metadata"]["name"] for one in objects if one["kind"] == KIND}
    began = clock()
    first_seen: dict[str, float] = {}
    while wanted:
        there = {one["metadata"]["name"]: one for one in kubectl.items("externalsecrets.external-secrets.io")}
        wanted = {name for name in wanted if name not in there or not is_fetched(there[name])}
        for name in sorted(wanted & there.keys()):
            problem = refusal(there[name])
            if problem and clock() - first_seen.setdefault(name, clock()) >= PATIENCE_S:
                raise _failure(kubectl, name, problem)
        if wanted and clock() - began > timeout_s:
            raise _failure(kubectl, min(wanted),
                           f"not fetched after {timeout_s:.0f} s: does the controller of External Secrets run?")
        if wanted:
            pause(POLL_S)


def is_fetched(one: Object) -> bool:
    """Whether the Secret is there, and made by what the object says now."""
    status, generation = one.get("status", {}), one["metadata"].get("generation", 0)
    return _ready(status).get("status") == "True" and str(
        status.get("syncedResourceVersion", "")).startswith(f"{generation}-")


def refusal(one: Object) -> str:
    """Why it could not be fetched, in the controller's words; empty where it has not said so."""
    ready = _ready(one.get("status", {}))
    return f"{ready.get('reason', '')}: {ready.get('message', '')}" if ready.get("status") == "False" else ""


def _failure(kubectl: Kubectl, name: str, problem: str) -> DevenvError:
    failure = explain(kubectl, Workload(KIND, name, "", ()), problem)
    failure.hint = f"kubectl --namespace {kubectl.namespace} describe externalsecret {name}"
    return failure


def _ready(status: Object) -> Object:
    return next((each for each in status.get("conditions", []) if each["type"] == "Ready"), {})
