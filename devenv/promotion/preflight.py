"""Everything that may stand against a promotion, asked at once; nothing is changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any

from devenv import receipts
from devenv.errors import CommandError, DevenvError, LockedError
from devenv.images.registry import bare_name
from devenv.kubernetes.kubectl import Kubectl
from devenv.promotion import committed, fit, lease, origin, push, release
from devenv.promotion.context import Promotion
from devenv.promotion.render import check_overlay

# What a promotion does in the cluster: verbs, API group, resources; the last says whether in the namespace.
RIGHTS = (
    (("get", "create", "update", "patch"), "coordination.k8s.io", "leases"),
    (("get", "list", "create", "patch", "delete"), "", "secrets"),
    (("get", "list"), "", "pods"),
    (("list",), "apps", "replicasets"),
    (("list",), "apps", "statefulsets"),
    (("create", "patch"), "", "services"),
    (("create", "patch"), "", "configmaps"),
    (("list", "create", "patch", "delete"), "apps", "deployments"),
    (("list", "create", "patch", "delete"), "batch", "jobs"),
    (("create", "patch"), "networking.k8s.io", "ingresses"),
)
# And where Argo CD does the rest.
RIGHTS_BY_COMMIT = (
    *RIGHTS[:5], (("list",), "apps", "deployments"), (("list",), "batch", "jobs"),
)
_CLUSTER_RIGHTS = ((("get",), "", "namespaces"), (("list",), "", "nodes"))
# The first question of all: before anything has begun, a cluster that is silent is no reason to wait for it.
FIRST_ANSWER_S = 15


def problems(promotion: Promotion) -> list[str]:
    """What stands against it, each with its next move; fills in what the questions have answered."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        jobs = [pool.submit(_ask, check, promotion) for check in (_terraform, _local, _cluster, _gitops)]
        found = [problem for job in jobs for problem in job.result()]
    return [*found, *_platforms(promotion), *origin.problems(promotion)]


def of_source(promotion: Promotion) -> list[str]:
    """What the source, its images and their receipt alone have against it."""
    return _ask(_local, promotion)


def of_cluster(promotion: Promotion) -> list[str]:
    """What the cluster alone, and Argo CD where it is in use, have against a change."""
    return [*_ask(_cluster, promotion), *_ask(_gitops, promotion)]


def _gitops(promotion: Promotion) -> Iterator[str]:
    if promotion.environment.gitops:
        yield from committed.problems(promotion)


def _platforms(promotion: Promotion) -> Iterator[str]:
    for name, one in promotion.local.items():
        if promotion.platforms and "/".join(one.platform.split("/")[:2]) not in promotion.platforms:
            yield (f"`{name}` is an image for {one.platform}, and the cluster's nodes are "
                   f"{', '.join(sorted(promotion.platforms))}")


def _ask(check: Callable[[Promotion], Iterator[str]], promotion: Promotion) -> list[str]:
    found: list[str] = []
    try:
        found.extend(check(promotion))
    except LockedError:
        raise
    except DevenvError as problem:
        found.append(f"{problem.message}" + (f" ({problem.hint})" if problem.hint else ""))
    return found


def _local(promotion: Promotion) -> Iterator[str]:
    """The tree, the images, the receipt, and the registry."""
    project, environment = promotion.project, promotion.environment
    check_overlay(promotion.home.root, environment.overlay)
    unreached = list(_registry(environment.registry)) if environment.registry else []
    yield from unreached
    source = receipts.source(project.root, promotion.runner)
    if source.dirty:
        changed = ", ".join(sorted(source.changed)[:5])
        yield (f"the tree differs from its commit{f' ({changed})' if changed else ''}: "
               "commit it, then `devenv test` and promote again")
    if environment.source:
        yield from _taken(promotion)
        return
    promotion.local = receipts.images_now(project, promotion.runner, promotion.engine)
    if environment.provenance != "ci":  # With it the receipt travels with the images, and `origin` reads it there.
        try:
            promotion.receipt = receipts.find(
                project, {name: one.image_id for name, one in promotion.local.items()}, environment.suites,
                overlays=(environment.overlay,), commit=source.commit or None, runner=promotion.runner)
        except DevenvError as problem:
            yield f"{problem.message} ({problem.hint})"
    if environment.registry and not unreached:
        promotion.images = pushed(promotion)


def _taken(promotion: Promotion) -> Iterator[str]:
    """The release of the environment that this one takes from: proved by a receipt, and still in the registry."""
    project, environment = promotion.project, promotion.environment
    source = replace(promotion, environment=project.config.environments[environment.source], committed=())
    if problem := stranger(source):
        yield problem
        return
    source.releases = release.read(source.kubectl, project.title)
    if source.environment.gitops:
        committed.read(source)
    promotion.taken = source.current
    if promotion.taken is None:
        yield f"`{environment.source}` runs no release: `devenv promote {environment.source}` comes first"
        return
    images = promotion.taken.images
    promotion.receipt = None
    if environment.provenance != "ci":
        receipts.find(project, {name: one.image_id for name, one in images.items()}, environment.suites,
                      overlays=(environment.overlay,), runner=promotion.runner)
    for name, one in images.items():
        if environment.registry and not one.reference.startswith(f"{environment.registry}/"):
            yield (f"`{name}` is in another registry than `{environment.registry}`: environments that take releases "
                   "from each other share one registry")
        elif not push.still_there(promotion.runner, one):
            yield f"the registry no longer gives `{one.reference}`: promote to `{environment.source}` again"


def pushed(promotion: Promotion) -> dict[str, release.Image]:
    """The images that the registry has already; raises DevenvError for a tag that was moved."""
    def one(item: tuple[str, Any]) -> tuple[str, release.Image | None]:
        name = bare_name(promotion.project, item[1].reference)
        return name, push.there(promotion.runner, promotion.registry, name, item[1].image_id)

    with ThreadPoolExecutor(max_workers=4) as pool:
        return {name: image for name, image in pool.map(one, promotion.local.items()) if image}


def _registry(registry: str) -> Iterator[str]:
    """Any answer will do: logins are the business of `docker push`."""
    host = registry.partition("/")[0]
    plain = host.partition(":")[0] in ("localhost", "127.0.0.1")
    connection = HTTPConnection(host, timeout=10) if plain else HTTPSConnection(host, timeout=10)
    try:
        connection.request("GET", "/v2/")
        connection.getresponse()
    except (OSError, HTTPException) as cause:
        yield f"the registry `{host}` is not reached: {cause}"
    finally:
        connection.close()


def _terraform(promotion: Promotion) -> Iterator[str]:
    """A plan says at once whether there are credentials and a state, who has it locked, and what will be put out."""
    terraform = promotion.terraform
    if terraform is None:
        return
    with ThreadPoolExecutor(max_workers=2) as pool:
        rendered = pool.submit(fit.rendered, promotion)
        terraform.require()
        terraform.init(promotion.environment.backend)
        known = pool.submit(terraform.outputs)
        plan = promotion.plan = terraform.plan("-lock-timeout=5s")
        if plan.empty or plan.shown.get("prior_state"):
            promotion.outputs = known.result()
        yield from fit.problems(promotion.outputs if plan.empty else plan.outputs, rendered.result())


def _cluster(promotion: Promotion) -> Iterator[str]:
    cluster = promotion.cluster
    if problem := stranger(promotion):
        yield problem
        return
    with ThreadPoolExecutor(max_workers=4) as pool:
        rights, platforms = pool.submit(_rights, promotion), pool.submit(_nodes, promotion)
        space = pool.submit(cluster.read, "get", "namespace", promotion.namespace, "--ignore-not-found", "--output",
                            "name")
        held, known = pool.submit(lease.look, promotion.kubectl), pool.submit(
            release.read, promotion.kubectl, promotion.project.title)
        if lacking := rights.result():
            # What else cannot be read follows from it.
            yield lacking
            return
        promotion.platforms = platforms.result()
        promotion.namespace_exists = bool(space.result().strip())
        lease.refuse_if_held(held.result(), "")
        promotion.releases = known.result()


def stranger(promotion: Promotion) -> str:
    """Why the context does not lead to the environment's own cluster; empty where it does."""
    environment, cluster = promotion.environment, promotion.cluster
    try:
        found = Kubectl(promotion.runner, cluster.kubeconfig, environment.context).read(
            "get", "namespace", "kube-system", "--output", "jsonpath={.metadata.uid}",
            timeout_s=FIRST_ANSWER_S).strip()
    except CommandError as failure:
        last = failure.output.splitlines()[-1] if failure.output else f"exit code {failure.status}"
        return f"the cluster of context `{environment.context}` does not answer as it should: {last}"
    if found == environment.cluster_uid:
        return ""
    return (f"context `{environment.context}` leads to another cluster: its UID is {found}, and devenv.toml says "
            f"{environment.cluster_uid} for `{environment.name}`")


def _rights(promotion: Promotion) -> str:
    """The rights that the user lacks; one SelfSubjectAccessReview for each verb, all in one call."""
    inside = RIGHTS_BY_COMMIT if promotion.environment.gitops else RIGHTS
    asked = [{"namespace": namespace, "verb": verb, "group": group, "resource": resource}
             for namespace, rights in ((promotion.namespace, inside), ("", _CLUSTER_RIGHTS))
             for verbs, group, resource in rights for verb in verbs]
    reviews = [{"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": one}} for one in asked]
    text = promotion.cluster.read("create", "--validate=ignore", "--output", "json", "--filename", "-",
                                  stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": reviews}))
    lacking = [one["spec"]["resourceAttributes"] for one in _documents(text) if not one["status"].get("allowed")]
    here, everywhere = (", ".join(f"{one['verb']} {one['resource']}" for one in lacking
                                  if bool(one.get("namespace")) is namespaced) for namespaced in (True, False))
    found = [f"in namespace `{promotion.namespace}`: {here} (RBAC: bind a Role with these verbs to it)"] if here else []
    if everywhere:
        found.append(f"in the whole cluster: {everywhere} (RBAC: bind a ClusterRole with these verbs to it)")
    return f"your user may not, {'; and not, '.join(found)}" if found else ""


def _nodes(promotion: Promotion) -> frozenset[str]:
    nodes = [one["status"]["nodeInfo"] for one in promotion.cluster.items("nodes")]
    return frozenset(f"{one['operatingSystem']}/{one['architecture']}" for one in nodes)


def _documents(text: str) -> list[dict[str, Any]]:
    """`create --output json` writes one object after another, with nothing between them."""
    decoder, at = json.JSONDecoder(), 0
    found: list[dict[str, Any]] = []
    while (at := len(text) - len(text[at:].lstrip())) < len(text):
        one, at = decoder.raw_decode(text, at)
        found += one["items"] if one["kind"] == "List" else [one]
    return found
