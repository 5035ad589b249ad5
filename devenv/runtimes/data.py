"""Whose data is in a volume: a stand-in and the original do not read each other's files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.images.resolve import Resolved
from devenv.model import Model
from devenv.project import Project, write_whole

FILE = "data.json"


def check_data(project: Project, engine: Engine, model: Model, names: Iterable[str],
               images: Mapping[str, Resolved]) -> None:
    """Raise DevenvError where a volume was written by another product than the one that would now open it."""
    known = _load(project.state / FILE)
    for name, volume, product in _volumes(engine, project, model, names, images):
        before = known.get(volume)
        if before and before != product:
            raise DevenvError(
                f"the data of `{name}` (volume `{volume}`) was written by {before}, and the image is now {product}",
                f"use the former image again (`devenv images`), or delete this data: `devenv reset --data {name}`",
                {"cause": "data", "service": name},
            )


def remember_data(project: Project, engine: Engine, model: Model, names: Iterable[str],
                  images: Mapping[str, Resolved]) -> None:
    """Note which product has opened each volume."""
    path = project.state / FILE
    known = _load(path)
    existing = {one["Name"] for one in engine.volumes(project.name)}
    now = {volume: product for _, volume, product in _volumes(engine, project, model, names, images)}
    kept = {volume: product for volume, product in {**known, **now}.items() if volume in existing}
    if kept != known:
        write_whole(path, json.dumps(kept, indent=1))


def product_of(image: Resolved) -> str:
    """The product behind an image; the same for an original and for its exact build from packages."""
    if image.product and not image.same_product:
        return image.product
    return image.wanted.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _volumes(engine: Engine, project: Project, model: Model, names: Iterable[str],
             images: Mapping[str, Resolved]) -> list[tuple[str, str, str]]:
    """(backend, volume, product) for each volume that is there."""
    existing = {one["Name"] for one in engine.volumes(project.name)}
    found = []
    for name in names:
        image = images.get(str(model.services[name].definition.get("image")))
        for key in model.services[name].volumes if image else ():
            volume = str(((model.data.get("volumes") or {}).get(key) or {}).get("name") or key)
            if volume in existing and image:
                found.append((name, volume, product_of(image)))
    return found


def _load(path: Path) -> dict[str, str]:
    try:
        data: dict[str, str] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data
