"""The overlay that is applied: the project's own, pointed at this checkout's images and ports.

The rendered result is the people's overlay with `images:` and, where the ports are not the usual ones, with the
addresses that mention them. It lies under the git-ignored `.devenv/`, whole and readable.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv.errors import CommandError, DevenvError, UsageError
from devenv.kubernetes.pods import template_of
from devenv.parity.tree import load, walk
from devenv.project import Project, write_whole
from devenv.shell import Runner

_HASH = re.compile(r"-[a-z0-9]{10}$")
HEADER = "# written by devenv; do not edit: it is replaced at the next `devenv up --k8s`\n"


@dataclass(frozen=True)
class Overlay:
    """A kustomization of the project, rendered."""

    folder: Path
    objects: tuple[dict[str, Any], ...]

    @property
    def namespace(self) -> str:
        """The namespace of what is not cluster-wide."""
        for one in self.objects:
            if one["kind"] in ("Deployment", "StatefulSet") and one["metadata"].get("namespace"):
                return str(one["metadata"]["namespace"])
        return "default"

    @property
    def images(self) -> tuple[str, ...]:
        """Every image that a pod of it runs."""
        found: dict[str, None] = {}
        for one in self.objects:
            for spec in pod_specs(one):
                for container in (*spec.get("initContainers", []), *spec.get("containers", [])):
                    found[container["image"]] = None
        return tuple(found)

    @property
    def tls_secrets(self) -> tuple[str, ...]:
        """Names of the certificates that its Ingresses want."""
        return tuple(dict.fromkeys(
            entry["secretName"] for one in self.objects if one["kind"] == "Ingress"
            for entry in one["spec"].get("tls", []) if entry.get("secretName")
        ))

    @property
    def paths(self) -> dict[str, list[str]]:
        """Service -> its paths behind the ingress."""
        found: dict[str, list[str]] = {}
        for one in self.objects:
            for rule in one["spec"].get("rules", []) if one["kind"] == "Ingress" else []:
                for path in (rule.get("http") or {}).get("paths", []):
                    found.setdefault(path["backend"]["service"]["name"], []).append(path.get("path", "/"))
        return found


def folder_of(project: Project, as_built: bool) -> Path:
    """`k8s/reload` (the local overlay with live reload) or, as built, `k8s/overlays/local`."""
    local = project.root / "k8s" / "overlays" / "local"
    reload = project.root / "k8s" / "reload"
    if not (local / "kustomization.yaml").is_file():
        raise UsageError(f"`{project.root}` has no manifests for this machine: `k8s/overlays/local` is not there",
                         "make a kustomization there, or run `devenv up` for Compose")
    return reload if not as_built and (reload / "kustomization.yaml").is_file() else local


def render(runner: Runner, folder: Path) -> Overlay:
    """Render a kustomization; raises UsageError with the file and, for broken YAML, the line."""
    import yaml

    try:
        text = runner.read("kubectl", "kustomize", str(folder))
    except CommandError as failure:
        for file in walk(folder).resources:
            load(file)
        # kustomize wraps its reason in one layer for each folder on the way to it.
        raise UsageError(f"the manifests in `{folder}` cannot be rendered:\n{failure.output}",
                         f"mend it until `kubectl kustomize {folder}` works") from None
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Overlay(folder, tuple(one for one in yaml.load_all(text, Loader=loader) if one))


def write_overlay(project: Project, overlay: Overlay, images: Mapping[str, str], ports: Mapping[int, int]) -> Path:
    """Write the kustomization that is applied; `images`: bare name -> name with tag; `ports`: usual -> ours."""
    target = project.state / "kind" / "overlay"
    target.mkdir(parents=True, exist_ok=True)
    data: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "namespace": overlay.namespace,
        "resources": [os.path.relpath(overlay.folder, target)],
        "images": [_image(name, reference) for name, reference in sorted(images.items())],
    }
    moved = {old: new for old, new in ports.items() if old != new}
    generators = [entry for one in overlay.objects if one["kind"] == "ConfigMap" for entry in _moved(one, moved)]
    if generators:
        data["configMapGenerator"] = generators
    write_whole(target / "kustomization.yaml", HEADER + json.dumps(data, indent=1) + "\n")
    return target


def write_secrets(overlay_folder: Path, values: Mapping[str, str]) -> None:
    """Write the git-ignored file of local secrets, unless a person's own is there."""
    path = overlay_folder / ".secrets.env"
    header = "# written by devenv: the secrets of this checkout, as in .devenv/secrets.env\n"
    if path.exists() and not path.read_text().startswith(header):
        return
    text = header + "".join(f"{name}={value}\n" for name, value in sorted(values.items()))
    if not path.exists() or path.read_text() != text:
        if not overlay_folder.is_dir():
            raise DevenvError(f"`{overlay_folder}` is not there", "devenv parity local")
        write_whole(path, text, mode=0o600)


def pod_specs(one: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The pod templates of an object."""
    if template := template_of(one):
        yield template["spec"]


def _image(name: str, reference: str) -> dict[str, str]:
    repository, _, tag = reference.rpartition(":")
    return {"name": name, "newName": repository, "newTag": tag}


def _moved(config: Mapping[str, Any], ports: Mapping[int, int]) -> list[dict[str, Any]]:
    """Values of a generated ConfigMap that mention a port of this machine, with the port moved."""
    changed = []
    for key, value in (config.get("data") or {}).items():
        fresh = value
        for old, new in ports.items():
            fresh = re.sub(rf"\blocalhost:{old}\b", f"localhost:{new}", fresh)
        if fresh != value:
            changed.append(f"{key}={fresh}")
    if not changed:
        return []
    name = _HASH.sub("", config["metadata"]["name"])
    return [{"name": name, "behavior": "merge", "literals": changed}]
