"""Bring a release's objects into a cluster, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from devenv import output
from devenv.errors import CommandError, DevenvError
from devenv.kubernetes.kubectl import FORCE, Kubectl
from devenv.kubernetes.workloads import needs_of
from devenv.promotion.compare import Change, as_list, key, live, title
from devenv.promotion.fetched import fetched
from devenv.promotion.labels import PROJECT
from devenv.promotion.watch import watch

Object = dict[str, Any]
# What pods need before they start; then what a Job says that it needs; then Jobs, which prepare; then the other pods;
# then what leads to them.
_FIRST = ("Namespace", "CustomResourceDefinition", "ResourceQuota", "LimitRange", "ServiceAccount", "Role",
          "ClusterRole", "RoleBinding", "ClusterRoleBinding", "Secret", "SecretStore", "ExternalSecret", "ConfigMap",
          "PersistentVolume", "PersistentVolumeClaim", "NetworkPolicy", "Service", "PodDisruptionBudget")
_JOBS = ("Job",)
_PODS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")


def groups(objects: Iterable[Object]) -> list[list[Object]]:
    """The objects in groups, each of which may be applied at once."""
    ordered = list(objects)
    needed = needed_by_jobs(ordered)
    found: list[list[Object]] = [[], [], [], [], []]
    for one in ordered:
        kind = one["kind"]
        pods = 1 if one["metadata"]["name"] in needed else 3
        found[0 if kind in _FIRST else 2 if kind in _JOBS else pods if kind in _PODS else 4].append(one)
    found[0].sort(key=lambda one: _FIRST.index(one["kind"]))
    return [group for group in found if group]


def needed_by_jobs(objects: Iterable[Object]) -> frozenset[str]:
    """Names of what the Jobs say that they need: backends that run as pods, or nothing where a cloud runs them."""
    return frozenset(name for one in objects if one["kind"] in _JOBS for name in needs_of(one))


def apply(kubectl: Kubectl, objects: Sequence[Object], changes: Iterable[Change], timeout_s: float,
          check: Callable[[], None], take_over: bool) -> None:
    """Server-side apply of what differs, waiting for what the next group needs; `check` is called before each write.

    Fields of other managers are left to them, and named, unless `take_over`.
    """
    differing = {one.object for one in changes}
    force = (FORCE,) if take_over else ()
    needed = needed_by_jobs(objects)
    for group in groups(objects):
        wanted = [one for one in group if title(one) in differing]
        if wanted:
            check()
            try:
                kubectl.apply(as_list(wanted), *force)
            except CommandError as failure:
                raise DevenvError(f"the cluster refused {', '.join(map(title, wanted))}:\n{failure.output}",
                                  "mend the manifests, or your rights, then promote again") from None
        fetched(kubectl, group, timeout_s)
        watch(kubectl, [one for one in group if one["kind"] in _JOBS or (
            one["kind"] in _PODS and one["metadata"]["name"] in needed)], timeout_s)


def obsolete(before: Sequence[Object], after: Sequence[Object]) -> tuple[Object, ...]:
    """What an earlier release had and this one has not; never a namespace, which holds more than is known."""
    kept = {key(one) for one in after}
    return tuple(one for one in before if key(one) not in kept and one["kind"] != "Namespace")


def prune(kubectl: Kubectl, objects: Sequence[Object], project: str, check: Callable[[], None]) -> None:
    """Delete these objects, the pods' first; one that no longer bears the project's label is left, and named."""
    there = live(kubectl, objects)
    for one in reversed([one for group in groups(there.values()) for one in group]):
        if one["metadata"].get("labels", {}).get(PROJECT) != project:
            output.warn(f"`{title(one)}` is of an earlier release and not labelled as this project's any more: "
                        "it is left")
            continue
        check()
        kubectl.read("delete", "--ignore-not-found", "--wait=false", "--filename", "-", stdin=as_list([one]))
