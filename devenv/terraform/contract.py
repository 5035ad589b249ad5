"""Whether an environment's Terraform outputs and the manifests of its overlay say the same names, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from devenv.kubernetes.pods import template_of
from devenv.terraform.outputs import backends_env, secret_names

# The ConfigMap that is made of `backends.env`; kustomize adds a hash to its name.
SETTINGS = re.compile(r"backends(-[a-z0-9]+)?")
Objects = list[dict[str, Any]]


def problems(outputs: Mapping[str, Any], rendered: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Each thing that one side names and the other does not; empty where they fit.

    `outputs` is what `Terraform.outputs()` returns; `rendered` are the objects of the overlay and of the cluster's
    add-ons.
    """
    objects = list(rendered)
    checks = (_environment, _endpoints, _files, _secrets, _roles, _places)
    return tuple(problem for check in checks for problem in check(outputs, objects))


def _environment(outputs: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    declared = set(backends_env(outputs))
    settings = (one for one in _kind(objects, "ConfigMap") if SETTINGS.fullmatch(_name(one)))
    used = {key for one in settings for key in one.get("data") or ()}
    yield from (f"backends.env has `{key}`, which is in no Terraform output" for key in sorted(used - declared))
    yield from (f"the Terraform output `backends` has `{key}`, which backends.env lacks"
                for key in sorted(declared - used))


def _endpoints(outputs: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    """Every port that a backend outside of the cluster listens on is one that its clients may reach."""
    for backend, said in outputs["backends"].items():
        client = {f"{backend}-client": "true"}
        open_ports = {
            rule_port.get("port")
            for policy in _kind(objects, "NetworkPolicy")
            if policy["spec"].get("podSelector", {}).get("matchLabels") == client
            for rule in policy["spec"].get("egress") or ()
            for rule_port in rule.get("ports") or ()
        }
        wanted = {int(port) for value in said["environment"].values()
                  for port in re.findall(r"\w\.[\w.-]+:(\d+)(?=[,/?]|$)", value)}
        yield from (f"`{backend}` listens on port {port}, which no NetworkPolicy opens for its clients"
                    for port in sorted(wanted - open_ports))


def _files(outputs: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    """Every file that the environment names is below something that is mounted in each pod that reads it."""
    for key, value in backends_env(outputs).items():
        for path in re.findall(r"(?<==)/[\w./-]+", value):
            for name, pod in _pods(objects):
                if not any(SETTINGS.fullmatch(source) for source in _sources(pod)):
                    continue
                mounts = [mount["mountPath"] for container in pod["containers"]
                          for mount in container.get("volumeMounts") or ()]
                if not any(path.startswith(f"{mount.rstrip('/')}/") for mount in mounts):
                    yield f"`{key}` names the file {path}, and nothing is mounted there in `{name}`"


def _secrets(outputs: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    stores = {(one["kind"], _name(one)): one["spec"]["provider"].get("aws", {})
              for one in objects if one["kind"] in ("ClusterSecretStore", "SecretStore")}
    region = outputs["cluster"]["region"]
    for (_, name), store in stores.items():
        if store.get("region") != region:
            yield f"the store `{name}` is for region {store.get('region')}, and the environment is in {region}"
    used: dict[str, str] = {}
    for one in _kind(objects, "ExternalSecret"):
        reference = one["spec"]["secretStoreRef"]
        store = stores.get((reference.get("kind", "SecretStore"), reference["name"]))
        if store is None:
            yield f"the ExternalSecret `{_name(one)}` wants the store `{reference['name']}`, which is nowhere"
            continue
        used.update({f"{store.get('prefix', '')}{key}": _name(one) for key in _remote(one["spec"])})
    declared = secret_names(outputs)
    yield from (f"the ExternalSecret `{used[name]}` wants the secret `{name}`, which is in no Terraform output"
                for name in sorted(used.keys() - set(declared.values())))
    yield from (f"the Terraform output `backends.{backend}` has the secret `{name}`, which no ExternalSecret fetches"
                for backend, name in sorted(declared.items()) if name not in used)


def _roles(outputs: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    """Pods get AWS rights by their service account; those that use a backend without a login need some."""
    roles = outputs["cluster"]["roles"]
    accounts = {_name(one) for one in _kind(objects, "ServiceAccount")}
    yield from (f"the Terraform output `cluster.roles` has `{name}`, and no ServiceAccount has that name"
                for name in sorted(roles.keys() - accounts))
    without_login = [name for name, said in outputs["backends"].items() if not said["secret"]]
    for name, pod in _pods(objects):
        account = pod.get("serviceAccountName", "default")
        for backend in without_login:
            if pod["labels"].get(f"{backend}-client") == "true" and account not in roles:
                yield f"`{name}` uses `{backend}` by its identity, and its ServiceAccount `{account}` has no role"


def _places(outputs: Mapping[str, Any], objects: Objects) -> Iterator[str]:
    host, cluster = outputs["dns"]["host"], outputs["cluster"]
    hosts = {rule.get("host") for one in _kind(objects, "Ingress") for rule in one["spec"].get("rules") or ()}
    if hosts != {host}:
        yield f"the Ingress answers on {', '.join(sorted(map(str, hosts))) or 'nothing'}, and the DNS name is {host}"
    spaces = {_name(one) for one in _kind(objects, "Namespace")}
    if cluster["namespace"] not in spaces:
        yield f"AWS rights are given in the namespace `{cluster['namespace']}`, which the overlay does not have"
    ports = {port.get("nodePort") for one in _kind(objects, "Service") for port in one["spec"].get("ports") or ()}
    if cluster["ingress_node_port"] not in ports:
        yield f"the load balancer sends to NodePort {cluster['ingress_node_port']}, which no Service has"


def _kind(objects: Objects, kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in objects if one["kind"] == kind)


def _name(one: dict[str, Any]) -> str:
    return str(one["metadata"]["name"])


def _pods(objects: Objects) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and pod of each workload, the pod's labels beside its specification."""
    for one in objects:
        if template := template_of(one):
            yield _name(one), {**template["spec"], "labels": template.get("metadata", {}).get("labels", {})}


def _sources(pod: dict[str, Any]) -> Iterator[str]:
    for container in pod["containers"]:
        for source in container.get("envFrom") or ():
            yield source.get("configMapRef", {}).get("name", "")


def _remote(spec: dict[str, Any]) -> Iterator[str]:
    yield from (one["remoteRef"]["key"] for one in spec.get("data") or ())
    yield from (one["extract"]["key"] for one in spec.get("dataFrom") or () if "extract" in one)
