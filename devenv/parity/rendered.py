"""Kubernetes' side: the objects of a rendered overlay, read into facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devenv.kubernetes.pods import WORKLOADS, template_of
from devenv.kubernetes.workloads import NEEDS
from devenv.parity.composed import capabilities, port_name, words
from devenv.parity.facts import UNKNOWN, Platform, Workload, ports_in, secrets_in
from devenv.parity.units import cores, image, memory, seconds
from devenv.parity.variables import Sources, variables

Object = Mapping[str, Any]
# On any object of an overlay: backends that run elsewhere, with the version they speak (`mongodb=5.0`).
MANAGED = "devenv/managed"


@dataclass(frozen=True)
class _Pod:
    """A workload with the parts of it that facts are read from."""

    workload: Object
    spec: Object
    container: Object
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return str(self.workload["kind"])


def read(objects: Iterable[Object]) -> Platform:
    """All workloads among the objects."""
    listed = list(objects)
    sources = Sources.of(listed)
    services = {one["metadata"]["name"]: one for one in listed if one["kind"] == "Service"}
    pods = {one["metadata"]["name"]: _pod(one) for one in listed if one["kind"] in WORKLOADS}
    environments = {name: variables(pod.container, sources) for name, pod in pods.items()}
    values = {name: found.values for name, found in environments.items()}
    return Platform({
        name: Workload(
            name=name,
            ingredients=environments[name].ingredients,
            facts={
                "services": {"runs": "once" if pod.kind in ("Job", "CronJob") else "always",
                             "entrypoint": words(pod.container.get("command")),
                             "command": words(pod.container.get("args"))},
                "images": {"image": image(pod.container["image"])[0]},
                "versions": {"version": image(pod.container["image"])[1]},
                "environment": environments[name].values,
                "secrets": {**{key: secrets_in(value) for key, value in environments[name].values.items()
                               if secrets_in(value)}, **environments[name].broken},
                "ports": _ports(pod, services.get(name), ports_in(values, name)),
                "health": _health(pod.container),
                "timing": _timing(pod),
                "order": needs(pod.workload),
                "volumes": _volumes(pod),
                "limits": _limits(pod.container),
                "security": _security(pod),
            },
        )
        for name, pod in pods.items()
    }, managed={name: version for one in listed for name, version in managed(one).items()})


def needs(workload: Object) -> dict[str, str]:
    """Service -> condition, as the workload's annotation says."""
    pairs = (entry.split() for entry in _annotation(workload, NEEDS).split(",") if entry.strip())
    return {pair[0]: pair[1] if len(pair) > 1 else "started" for pair in pairs}


def managed(one: Object) -> dict[str, str]:
    """Backend -> version, as an object's annotation says."""
    pairs = (entry.partition("=") for entry in _annotation(one, MANAGED).split())
    return {name: version or UNKNOWN for name, _, version in pairs}


def _annotation(one: Object, name: str) -> str:
    return str(((one.get("metadata") or {}).get("annotations") or {}).get(name, ""))


def _pod(workload: Object) -> _Pod:
    template = template_of(workload)
    assert template is not None, "a workload has pods"
    containers = template["spec"]["containers"]
    named = [one for one in containers if one["name"] == workload["metadata"]["name"]]
    labels = (template.get("metadata") or {}).get("labels") or {}
    return _Pod(workload, template["spec"], (named or containers)[0], labels)


def _ports(pod: _Pod, service: Object | None, wanted: Iterable[str]) -> dict[str, str]:
    """What the Service of the same name serves, and what it should serve and does not."""
    declared = pod.container.get("ports") or []
    found = {port_name(one["containerPort"], one.get("protocol")): "open" for one in declared}
    if service is None:
        return {port: "no Service leads to it" for port in {*found, *wanted}}
    selector = service["spec"].get("selector") or {}
    if not selector or selector.items() - pod.labels.items():
        return {port: "its Service selects other pods" for port in found}
    served: dict[str, str] = {}
    for entry in service["spec"].get("ports") or []:
        here = port_name(entry["port"], entry.get("protocol"))
        target = _number(pod.container, entry.get("targetPort", entry["port"]))
        served[here] = "open" if target == str(entry["port"]) else f"leads to {target}"
    return {
        **{port: "open in the pod, not in its Service" for port in found},
        **{port: "addressed, but not served" for port in wanted},
        **served,
    }


def _number(container: Object, port: Any) -> str:
    """A port of the container by number, where it is given by name."""
    numbers = (str(one["containerPort"]) for one in container.get("ports") or [] if one.get("name") == port)
    return next(numbers, str(port))


def _probe(container: Object, kind: str) -> str | None:
    """What a probe asks."""
    probe = container.get(kind) or {}
    if "exec" in probe:
        return words(probe["exec"].get("command"))
    for way, verb in (("httpGet", "GET"), ("tcpSocket", "TCP"), ("grpc", "gRPC")):
        if way in probe:
            path = f" {probe[way].get('path', '/')}" if way == "httpGet" else ""
            return f"{verb}{path} on {_number(container, probe[way].get('port'))}"
    return None


def _health(container: Object) -> dict[str, str]:
    ready, started = _probe(container, "readinessProbe"), _probe(container, "startupProbe")
    if ready is None:
        return {}
    # A start may be judged by a smaller question than readiness, but only by one that is asked later on, too.
    odd = started not in (None, ready, _probe(container, "livenessProbe"))
    return {"check": f"{ready}, but at the start {started}" if odd else ready}


def _timing(pod: _Pod) -> dict[str, str]:
    ready, started = pod.container.get("readinessProbe"), pod.container.get("startupProbe") or {}
    pause = (((pod.container.get("lifecycle") or {}).get("preStop") or {}).get("sleep") or {}).get("seconds", 0)
    found = {"stop grace": seconds(pod.spec.get("terminationGracePeriodSeconds", 30) - pause)}
    if ready:
        every = started.get("periodSeconds", 10)
        budget = started.get("initialDelaySeconds", 0) + every * started.get("failureThreshold", 3) if started else 0
        timeouts = {seconds(probe.get("timeoutSeconds", 1)) for probe in (ready, started) if probe}
        found |= {
            "interval": seconds(ready.get("periodSeconds", 10)),
            "timeout": " and ".join(sorted(timeouts)),
            "retries": str(ready.get("failureThreshold", 3)),
            "start period": seconds(budget),
            "start interval": seconds(every),
        }
    return found


def _volumes(pod: _Pod) -> dict[str, str]:
    claimed = {one["metadata"]["name"]: "data" for one in pod.workload["spec"].get("volumeClaimTemplates") or []}
    volumes = claimed | {one["name"]: _volume(one) for one in pod.spec.get("volumes") or []}
    found = {}
    for mount in pod.container.get("volumeMounts") or []:
        kind = volumes.get(mount["name"], "nothing")
        found[mount["mountPath"]] = f"{kind}, read-only" if mount.get("readOnly") and kind != UNKNOWN else kind
    return found


def _volume(volume: Object) -> str:
    kinds = {"emptyDir": "scratch", "persistentVolumeClaim": "data", "ephemeral": "scratch",
             "hostPath": "a directory of the machine", "secret": "a file", "configMap": "a file", "projected": "a file"}
    source = next((key for key in volume if key != "name"), "nothing")
    # What may be absent is no difference where it is.
    is_optional = isinstance(volume.get(source), dict) and volume[source].get("optional")
    return UNKNOWN if is_optional else kinds.get(source, source)


def _limits(container: Object) -> dict[str, str]:
    limits = (container.get("resources") or {}).get("limits") or {}
    spelling = {"memory": memory, "cpu": cores}
    return {key: spell(limits[key]) for key, spell in spelling.items() if key in limits}


def _security(pod: _Pod) -> dict[str, str]:
    own = {**(pod.spec.get("securityContext") or {}), **(pod.container.get("securityContext") or {})}
    lists = own.get("capabilities") or {}
    return {
        "user": str(own.get("runAsUser", "the image's own")),
        "group": str(own.get("runAsGroup", "the image's own")),
        "read-only root": "yes" if own.get("readOnlyRootFilesystem") else "no",
        "privileged": "yes" if own.get("privileged") else "no",
        "more rights by exec": "no" if own.get("allowPrivilegeEscalation") is False else "yes",
        **capabilities(lists.get("drop"), lists.get("add")),
    }
