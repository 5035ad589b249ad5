"""Whether Services lead to the pods that run now.

After a restart of its node a pod has another address. Until a controller has seen that, its Service leads to the old
one, where nobody answers, not even with a refusal: a request waits there until it times out.

Sources: discovery.k8s.io/v1, EndpointSlice; kube-proxy's `iptables.minSyncPeriod`, by default one second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import Any

from devenv.errors import DevenvError
from devenv.kubernetes.kubectl import Kubectl

Object = Mapping[str, Any]
SERVICE_LABEL = "kubernetes.io/service-name"
POLL_S, PROXY_S = 0.2, 1.0


def wait(kubectl: Kubectl, timeout_s: float) -> None:
    """Return when each Service of the namespace leads to its ready pods and to no others; raises DevenvError."""
    began = monotonic()
    while True:
        items = kubectl.items("services,endpointslices,pods")
        wrong = next(astray(items), "")
        if not wrong:
            break
        if monotonic() - began > timeout_s:
            raise DevenvError(f"after {timeout_s:.0f} s, {wrong}",
                              f"kubectl --namespace {kubectl.namespace} get endpointslices")
        sleep(POLL_S)
    # The node's own table of addresses follows within this time.
    if (fresh_s := PROXY_S - youngest_s(items, datetime.now(UTC))) > 0:
        sleep(fresh_s)


def astray(items: Iterable[Object]) -> Iterator[str]:
    """What is wrong about Services and their pods, in words."""
    there: dict[str, list[Object]] = {"Service": [], "EndpointSlice": [], "Pod": []}
    for one in items:
        there[one["kind"]].append(one)
    ready = {one["metadata"]["name"]: one for one in there["Pod"] if ready_since(one)}
    for service in there["Service"]:
        name, selector = service["metadata"]["name"], service["spec"].get("selector")
        if not selector:
            continue
        known = [(endpoint["targetRef"]["name"], address)
                 for one in there["EndpointSlice"] if one["metadata"].get("labels", {}).get(SERVICE_LABEL) == name
                 for endpoint in one.get("endpoints") or () if "targetRef" in endpoint
                 and endpoint.get("conditions", {}).get("ready") is not False for address in endpoint["addresses"]]
        wanted = {pod: one["status"].get("podIP") for pod, one in ready.items()
                  if selector.items() <= one["metadata"].get("labels", {}).items()}
        for pod, address in wanted.items():
            if (pod, address) not in known:
                yield f"Service `{name}` does not lead to `{pod}` at {address}"
        for pod in {pod for pod, _ in known} - wanted.keys():
            if not service["spec"].get("publishNotReadyAddresses"):
                yield f"Service `{name}` leads to `{pod}`, which is not ready"


def youngest_s(items: Iterable[Object], now: datetime) -> float:
    """How long ago the last pod became ready, in seconds."""
    times = [since for one in items if one["kind"] == "Pod" and (since := ready_since(one))]
    return min(((now - one).total_seconds() for one in times), default=PROXY_S)


def ready_since(pod: Object) -> datetime | None:
    """Since when a pod that stays is ready; None where it is not."""
    if "deletionTimestamp" in pod["metadata"]:
        return None
    for one in pod["status"].get("conditions", []):
        if one["type"] == "Ready" and one["status"] == "True":
            return datetime.fromisoformat(one["lastTransitionTime"])
    return None
