"""The manifests of a release: a copy of the people's overlay with the two files that devenv writes, rendered."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

from devenv import output
from devenv.compose import load_yaml
from devenv.errors import DevenvError, UsageError
from devenv.kubernetes.pods import WORKLOADS
from devenv.project import write_whole
from devenv.promotion.labels import PROJECT, RECEIPT_ANNOTATION, RELEASE_ANNOTATION
from devenv.promotion.release import Image
from devenv.runtimes.kind.manifests import pod_specs, render
from devenv.shell import Runner

Object = dict[str, Any]
IMAGES, BACKENDS = Path("images") / "kustomization.yaml", Path("backends.env")
_CLUSTER_WIDE = ("Namespace", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "IngressClass",
                 "PersistentVolume", "PriorityClass", "StorageClass", "APIService")

_RIGHTS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def overlay_folder(root: Path, overlay: str) -> Path:
    """Where people keep it."""
    return root / "k8s" / "overlays" / overlay


def namespace_of(root: Path, overlay: str) -> str:
    """The namespace that the overlay's kustomization names; raises UsageError where it names none."""
    file = overlay_folder(root, overlay) / "kustomization.yaml"
    namespace = load_yaml(file).get("namespace") if file.is_file() else None
    if not namespace:
        raise UsageError(f"`{file}` names no `namespace:`", "a release needs one: its record is kept there")
    return str(namespace)


def check_overlay(root: Path, overlay: str) -> None:
    """Raise UsageError unless the overlay takes the file of images that a promotion writes."""
    folder = overlay_folder(root, overlay)
    file = folder / "kustomization.yaml"
    if not file.is_file():
        raise UsageError(f"there is no overlay `{overlay}`: `{file}` is not there", "make it, or set `overlay`")
    if "images" not in (load_yaml(file).get("components") or []):
        raise UsageError(f"`{file}` does not take the images of a release",
                         "add `images` to its `components:`; `devenv promote` writes images/kustomization.yaml")


def machine_files(environment: str, images: Mapping[str, Image], backends: Mapping[str, str] | None) -> dict[Path, str]:
    """The files that devenv writes into an overlay: path -> text."""
    header = f"# written by `devenv promote {environment}`; do not edit\n"
    entries = [{"name": name, "newName": one.reference.partition("@")[0], "digest": one.digest}
               for name, one in sorted(images.items())]
    component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "images": entries}
    files = {IMAGES: header + json.dumps(component, indent=1) + "\n"}
    if backends is not None:
        files[BACKENDS] = header + "".join(f"{name}={value}\n" for name, value in sorted(backends.items()))
    return files


def manifests(runner: Runner, root: Path, state: Path, overlay: str, files: Mapping[Path, str]) -> list[Object]:
    """Render a copy of `k8s/` in which the overlay has these machine-written files."""
    copy = state / "k8s"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root / "k8s", copy, ignore=shutil.ignore_patterns(".*"))
    folder = overlay_folder(state, overlay)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(folder / path, text)
    return list(render(runner, folder).objects)


def check_digests(objects: Iterable[Object], images: Mapping[str, Image]) -> None:
    """Raise DevenvError for an image that is not by digest, or for an image of the release that nothing runs."""
    named = {image for one in objects for spec in pod_specs(one)
             for container in (*spec.get("initContainers", []), *spec["containers"])
             for image in [container["image"]]}
    loose = sorted(image for image in named if "@sha256:" not in image)
    if loose:
        raise DevenvError(f"the overlay runs images by tag: {', '.join(loose)}",
                          "a release names each image by digest: write `image@sha256:...` in the manifests")
    unused = sorted(name for name, one in images.items() if one.reference not in named)
    if unused:
        raise DevenvError(f"nothing in the overlay runs the image of {', '.join(unused)}",
                          "name it in a workload, by its bare name")


def finish(objects: Iterable[Object], project: str) -> list[Object]:
    """Mark the objects as this project's, and name each Job by its content, as a Job cannot be changed."""
    done = []
    for one in deepcopy(list(objects)):
        meta = one["metadata"]
        meta["labels"] = {**meta.get("labels", {}), PROJECT: project}
        if one["kind"] == "Job":
            content = json.dumps(one["spec"]["template"], sort_keys=True).encode()
            meta["name"] = f"{meta['name']}-{sha256(content).hexdigest()[:8]}"
        done.append(one)
    return done


def without_rights(objects: Sequence[Object]) -> list[Object]:
    """What may be committed: who can commit must not be able to give rights. Names what is left out."""
    kept = [one for one in objects if one["kind"] not in _RIGHTS]
    left = [f"{one['kind']}/{one['metadata']['name']}" for one in objects if one["kind"] in _RIGHTS]
    if left:
        output.say(f"  left to an administrator: {', '.join(left)}")
    return kept


def annotate(objects: Iterable[Object], release: str, receipt: str) -> tuple[Object, ...]:
    """Say on each workload which release and receipt it is of; its pods' template stays as it is."""
    done = deepcopy(list(objects))
    for one in done:
        if one["kind"] in WORKLOADS:
            meta = one["metadata"]
            meta["annotations"] = {**meta.get("annotations", {}), RELEASE_ANNOTATION: release,
                                   RECEIPT_ANNOTATION: receipt}
    return tuple(done)


def is_namespaced(one: Mapping[str, Any]) -> bool:
    """Whether an object is of a kind that lies in a namespace."""
    return one["kind"] not in _CLUSTER_WIDE
