"""The images of a project's services as they are on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.images.bake import image_name
from devenv.model import Model
from devenv.project import Project
from devenv.receipts.receipt import Image
from devenv.runtimes.opening import opened
from devenv.shell import Runner


def services(project: Project, model: Model) -> dict[str, str]:
    """Service -> its image's name, seeds and profiles left out; a one-shot only where no service has the same image."""
    built = [one for name in model.select(()) if (one := model.services[name]).is_built and not one.is_seed]
    built.sort(key=lambda one: (one.name in model.one_shots, one.name))
    named: dict[str, str] = {}
    for service in built:
        named.setdefault(image_name(project, service), service.name)
    return {name: reference for reference, name in sorted(named.items(), key=lambda pair: pair[1])}


def images_of(project: Project, engine: Engine, model: Model) -> dict[str, Image]:
    """The image that each service has now; raises DevenvError that names those without one."""
    named = services(project, model)
    found = {name: engine.image(reference) for name, reference in named.items()}
    missing = [f"`{name}` has no image: `{named[name]}` is not on this machine"
               for name, image in found.items() if image is None]
    if missing:
        raise DevenvError("\n".join(missing), "devenv build")
    return {name: Image(image["Id"], named[name], platform_of(image)) for name, image in found.items() if image}


def images_now(project: Project, runner: Runner, engine: Engine | None = None) -> dict[str, Image]:
    """As `images_of`, from the project's Compose files; what was last built, which the source may have left behind."""
    return images_of(project, engine or Engine(), opened(project, runner, as_built=True).model())


def platform_of(image: Mapping[str, Any]) -> str:
    """`linux/arm64/v8`, as the engine describes an image."""
    return "/".join(str(image[key]) for key in ("Os", "Architecture", "Variant") if image.get(key))
