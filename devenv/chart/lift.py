"""From rendered objects to templates: at known places a value becomes a hole, and everything else stays literal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from devenv.chart.holes import Hole, places
from devenv.chart.references import image_parts, is_host, is_image, is_secret
from devenv.chart.values import COUNT, NAME, SWITCH, TEXT, TEXTS, Values

Object = dict[str, Any]
# API groups that every cluster serves; kinds of other groups come with a controller.
_OWN_GROUPS = {
    "", "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "autoscaling",
    "batch", "coordination.k8s.io", "discovery.k8s.io", "flowcontrol.apiserver.k8s.io", "networking.k8s.io",
    "node.k8s.io", "policy", "rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
}
# How kustomize makes ten hexadecimal digits into a suffix (kustomize, api/hasher).
_SUFFIX = str.maketrans("013ae", "ghkmt")
_DIGEST = {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"}


@dataclass
class Lifted:
    """The objects with their holes, the values that fill them, and what an installer must know."""

    objects: list[Object]
    services: frozenset[str]
    namespace: str = ""
    values: Values = field(default_factory=Values)
    # The switch of an object that not everybody wants, by its place in `objects`.
    switches: dict[int, Hole] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


def lift(objects: Iterable[Mapping[str, Any]], services: Iterable[str]) -> Lifted:
    """Turn what may differ between installations into values; `services`: names that are built from the repository."""
    lifted = Lifted(deepcopy([dict(one) for one in objects]), frozenset(services))
    for step in LIFTS:
        step(lifted)
    return lifted


def secrets(lifted: Lifted) -> None:
    """Secrets are named by value and never packed."""
    renamed = {}
    for one in [one for one in lifted.objects if one["kind"] == "Secret"]:
        name = one["metadata"]["name"]
        content = {"data": one.get("data", {}), "kind": "Secret", "name": "", "type": one.get("type", "Opaque")}
        base = _base(name, _hash(content))
        renamed[name] = base or name
        lifted.dropped.append(renamed[name])
        lifted.objects.remove(one)
    for one in lifted.objects:
        for container, key, trail in places(one):
            if is_secret(one, trail):
                name = renamed.get(container[key], container[key])
                known = lifted.values.secret_keys.setdefault(name, [])
                known += [one for one in _keys(one, container) if one not in known]
                container[key] = lifted.values.put(("secrets", name), name, NAME)


def namespaces(lifted: Lifted) -> None:
    """Everything goes into the release's namespace; the namespace itself is made only when asked for."""
    named = [one["metadata"].get("namespace", "") for one in lifted.objects]
    own = [one["metadata"]["name"] for one in lifted.objects if one["kind"] == "Namespace"]
    lifted.namespace = max(set(named), key=named.count, default="") or (own[0] if own else "")
    for number, one in enumerate(lifted.objects):
        if one["kind"] == "Namespace" and one["metadata"]["name"] == lifted.namespace:
            one["metadata"]["name"] = Hole(".Release.Namespace")
            lifted.switches[number] = lifted.values.put(("namespace", "create"), False, SWITCH)
        for container, key, trail in places(one):
            if trail[-1] == "namespace" and container[key] == lifted.namespace:
                container[key] = Hole(".Release.Namespace")


def config_maps(lifted: Lifted) -> None:
    """A generated ConfigMap is named by the hash of its values, as kustomize does it: pods roll when one changes."""
    names = {}
    for one in lifted.objects:
        if one["kind"] == "ConfigMap" and one.get("data") and "binaryData" not in one:
            name = one["metadata"]["name"]
            base = _base(name, _hash({"data": one["data"], "kind": "ConfigMap", "name": ""}))
            if base:
                names[name] = Hole(f'include "config-map" (list . "{base}")')
                one["data"] = lifted.values.put(("config", base), one["data"], TEXTS)
    for one in lifted.objects:
        for container, key, _ in places(one):
            if container[key] in names:
                container[key] = names[container[key]]


def images(lifted: Lifted) -> None:
    """Images of services share a registry, and each has a digest; those of others go by their whole names."""
    found = [(container, key) for one in lifted.objects for container, key, trail in places(one) if is_image(trail)]
    ours = {container[key] for container, key in found if image_parts(container[key]).last in lifted.services}
    registries = {image_parts(reference).registry for reference in ours}
    shared = registries.pop() if len(registries) == 1 else ""
    for container, key in found:
        reference = container[key]
        image = image_parts(reference)
        if reference not in ours:
            container[key] = lifted.values.put(("thirdParty", image.last), reference, NAME)
            continue
        lifted.values.put(("registry",), shared, TEXT)
        lifted.values.put(("images", image.last, "repository"), image.last if shared else image.name, NAME)
        lifted.values.put(("images", image.last, "tag"), image.tag, TEXT)
        lifted.values.put(("images", image.last, "digest"), image.digest, _DIGEST)
        container[key] = Hole(f'include "image" (list . "{image.last}")')


def replicas(lifted: Lifted) -> None:
    """The bounds of autoscalers, and the number of pods where there is none."""
    for one in lifted.objects:
        name, spec = one["metadata"]["name"], one.get("spec") or {}
        fields = {"HorizontalPodAutoscaler": {"min": "minReplicas", "max": "maxReplicas"},
                  "Deployment": {"count": "replicas"}}.get(one["kind"], {})
        for word, key in fields.items():
            if isinstance(spec.get(key), int):
                spec[key] = lifted.values.put(("replicas", name, word), spec[key], COUNT)


def ingresses(lifted: Lifted) -> None:
    """Host names, and the class and annotations that a controller goes by."""
    keys: dict[str, str] = {}
    for one in lifted.objects:
        name = one["metadata"]["name"]
        for container, key, trail in places(one):
            if is_host(one, trail):
                host = container[key]
                keys.setdefault(host, _free(name, keys.values()))
                container[key] = lifted.values.put(("hosts", keys[host]), host, NAME)
        if one["kind"] == "Ingress":
            if "ingressClassName" in one["spec"]:
                one["spec"]["ingressClassName"] = lifted.values.put(
                    ("ingress", name, "className"), one["spec"]["ingressClassName"], NAME)
            if one["metadata"].get("annotations"):
                one["metadata"]["annotations"] = lifted.values.put(
                    ("ingress", name, "annotations"), one["metadata"]["annotations"], TEXTS)


def custom_resources(lifted: Lifted) -> None:
    """Objects of kinds that a bare cluster does not know can be switched off."""
    for number, one in enumerate(lifted.objects):
        if one["apiVersion"].rpartition("/")[0] not in _OWN_GROUPS:
            lifted.switches[number] = lifted.values.put(("customResources", one["kind"]), True, SWITCH)


LIFTS = (secrets, namespaces, config_maps, images, replicas, ingresses, custom_resources)


def _hash(content: Mapping[str, Any]) -> str:
    """The suffix that kustomize gives to a generated object: of its JSON as Go writes it."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "&<>\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return sha256(text.encode()).hexdigest()[:10].translate(_SUFFIX)


def _keys(one: Object, reference: Mapping[str, Any]) -> list[str]:
    """What is read from a Secret by this reference to it."""
    if one["kind"] == "Ingress":
        return ["tls.crt", "tls.key"]
    optional = " (optional)" if reference.get("optional") else ""
    return [f"{reference['key']}{optional}"] if "key" in reference else []


def _base(name: str, suffix: str) -> str:
    """The name before the suffix, or nothing where it has another or none."""
    return name.removesuffix(f"-{suffix}") if name.endswith(f"-{suffix}") else ""


def _free(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    return next(one for one in (name, *(f"{name}-{n}" for n in range(2, len(used) + 3))) if one not in used)
