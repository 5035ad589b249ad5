"""The copy of the project that is rehearsed: its manifests with what stands in for the cloud laid over them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from devenv.project import write_whole
from devenv.promotion.render import BACKENDS, IMAGES, namespace_of, overlay_folder

HEADER = "# written by `devenv promote --rehearse`; a copy, which is removed with the rehearsal\n"
STAND_INS = Path("k8s") / "components" / "stand-ins"
# kustomize refuses a component that says nothing.
_EMPTY = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", "images": [{"name": "no-such-image"}]}


def settings_of(file: Path, ports: Mapping[int, int]) -> dict[str, str]:
    """An environment file, with this machine's ports as the rehearsal has them: usual -> ours."""
    found = {}
    for line in file.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            for usual, ours in ports.items():
                value = re.sub(rf"\blocalhost:{usual}\b", f"localhost:{ours}", value)
            found[key] = value
    return found


def lay_over(root: Path, overlay: str, settings: Mapping[str, str], digests: Mapping[str, tuple[str, str]]) -> Path:
    """Put an overlay of the same name over the people's in the copy at `root`, and return its folder.

    `settings` is where the stand-ins are; `digests`: image as the manifests name it -> (name in the registry, digest).
    """
    folder = overlay_folder(root, overlay)
    theirs = folder.with_name(f"{overlay}-as-it-is")
    if not theirs.exists():
        folder.rename(theirs)
        # A promotion names the services' images in the upper overlay; by then they must bear their bare names.
        write_whole(theirs / IMAGES, HEADER + json.dumps(_EMPTY) + "\n")
        (folder / IMAGES).parent.mkdir(parents=True)
        write_whole(folder / IMAGES, HEADER + json.dumps(_EMPTY) + "\n")
        write_whole(folder / BACKENDS, HEADER + "".join(f"{key}={value}\n" for key, value in settings.items()))
    stand_ins = [f"../../components/{STAND_INS.name}"] if (root / STAND_INS).is_dir() else []
    data = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "namespace": namespace_of(root, theirs.name),
        "resources": [f"../{theirs.name}"],
        "components": [*stand_ins, str(IMAGES.parent)],
        "images": [{"name": _without_tag(image), "newName": name, "digest": digest}
                   for image, (name, digest) in sorted(digests.items())],
    }
    if (theirs / BACKENDS).is_file():
        data["configMapGenerator"] = [{"name": BACKENDS.stem, "behavior": "replace", "envs": [str(BACKENDS)]}]
    write_whole(folder / "kustomization.yaml", HEADER + json.dumps(data, indent=1) + "\n")
    return folder


def addon_folders(root: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The add-ons as a cluster of this machine has them, and those that have a variant for a mocked cloud."""
    local, mocked = [], []
    for addon in sorted((root / "k8s" / "addons").glob("*/")):
        if (addon / "rehearsal" / "kustomization.yaml").is_file():
            mocked.append(addon / "rehearsal")
        elif (addon / "local" / "kustomization.yaml").is_file():
            local.append(addon / "local")
    return tuple(local), tuple(mocked)


def _without_tag(image: str) -> str:
    name, _, tag = image.rpartition(":")
    return name if name and "/" not in tag else image
