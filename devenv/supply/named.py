"""Images by the name of their service, or by their own."""

from __future__ import annotations

from collections.abc import Iterable

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.images.bake import image_name
from devenv.model import Service
from devenv.project import Project
from devenv.runtimes.opening import opened
from devenv.shell import Runner


def references(project: Project, names: Iterable[str], engine: Engine, runner: Runner) -> list[str]:
    """The image of each service as it was last built, and images as they are; of all built services without names."""
    wanted = list(names)
    services = [name for name in wanted if not _is_image(name)]
    if wanted and not services:
        return list(dict.fromkeys(wanted))
    model = opened(project, runner, as_built=True).model()
    model.require(services)
    wanted = wanted or [name for name, service in model.services.items() if service.is_built]
    return list(dict.fromkeys(name if _is_image(name) else _image(project, model.services[name], engine)
                              for name in wanted))


def _is_image(name: str) -> bool:
    return "/" in name or ":" in name


def _image(project: Project, service: Service, engine: Engine) -> str:
    if not service.is_built:
        return str(service.definition["image"])
    image = image_name(project, service)
    if engine.image(image) is None:
        raise DevenvError(f"`{service.name}` has no image yet", f"run `devenv build {service.name}`")
    return image
