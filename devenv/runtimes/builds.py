"""Which service images must be built again: by what defines them; by their source only where none is mounted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from devenv import output
from devenv.compose import Compose
from devenv.engine import Engine
from devenv.images.bake import bake, image_name
from devenv.images.inputs import fingerprint
from devenv.model import Model, Service
from devenv.project import Project, write_whole
from devenv.runtimes.record import hash_files

FILE = "builds.json"


def definition_files(service: Service) -> tuple[Path, ...]:
    """The Dockerfile, and the files that Compose's `develop.watch` names with `action: rebuild`."""
    build = service.definition.get("build")
    if not build:
        return ()
    context = Path(build["context"])
    watched = [
        Path(entry["path"])
        for entry in (service.definition.get("develop") or {}).get("watch") or []
        if entry.get("action") == "rebuild"
    ]
    return (context / build.get("dockerfile", "Dockerfile"), *watched)


def stale(project: Project, engine: Engine, model: Model, names: Iterable[str], force: bool = False,
          exact: bool = False) -> list[str]:
    """Services whose image is missing or was built from other definition files; with `force`, all that are built.

    With `exact`, the source counts as well, and so do the base images: the image must be what a build would give.
    """
    known = _load(project)
    found = []
    for name in names:
        service = model.services[name]
        if not service.is_built:
            continue
        image = engine.image(image_name(project, service))
        wanted = _state(service)
        if exact and image:
            wanted |= {"image": image["Id"], "inputs": _inputs(engine, service) or "known only to a build"}
        if force or image is None or wanted.items() - known.get(name, {}).items():
            found.append(name)
    return found


def build_stale(compose: Compose, engine: Engine, model: Model, names: Iterable[str], force: bool,
                exact: bool = False) -> None:
    """Build what `stale` finds, with the output in a log, and note what it was built from."""
    found = stale(compose.project, engine, model, names, force, exact)
    if found:
        # Taken before the build: what is edited meanwhile is newer than the image.
        inputs = {name: _inputs(engine, model.services[name]) for name in found}
        output.say(f"  building {', '.join(found)}")
        bake(compose, found)
        remember(compose.project, engine, model, found, inputs)


def remember(project: Project, engine: Engine, model: Model, names: Iterable[str],
             inputs: Mapping[str, str] | None = None) -> None:
    """Note what the images of `names` were built from."""
    known = _load(project)
    for name in names:
        service = model.services[name]
        image = engine.image(image_name(project, service)) or {}
        known[name] = {**_state(service), "image": image.get("Id", ""),
                       "inputs": inputs[name] if inputs else _inputs(engine, service)}
    write_whole(project.state / FILE, json.dumps(known, indent=1))


def _state(service: Service) -> dict[str, str]:
    build = {key: value for key, value in service.definition["build"].items() if key != "secrets"}
    return {"build": json.dumps(build, sort_keys=True), **hash_files(definition_files(service))}


def _inputs(engine: Engine, service: Service) -> str:
    return fingerprint(service.name, service.definition["build"], engine)


def _load(project: Project) -> dict[str, dict[str, str]]:
    try:
        data: dict[str, dict[str, str]] = json.loads((project.state / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return data
