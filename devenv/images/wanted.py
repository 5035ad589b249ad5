"""Which third-party images a project needs: its backends', and those that its Dockerfiles start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from devenv.errors import UsageError
from devenv.images.dockerfile import base_images


def wanted_images(model: Mapping[str, Any], names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Image reference -> the services among `names` that need it.

    Raises UsageError for a Dockerfile that is not there.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for name in names:
        definition = model["services"][name]
        if "build" in definition:
            references = bases_of(name, definition["build"])
        else:
            references = [str(definition["image"])] if definition.get("image") else []
        for reference in references:
            wanted[reference] = (*wanted.get(reference, ()), name)
    return wanted


def bases_of(name: str, build: Mapping[str, Any]) -> list[str]:
    """The images that the build of a service starts from; those that the file itself redirects are left out."""
    arguments = {key: str(value) for key, value in (build.get("args") or {}).items() if value is not None}
    redirected = set(build.get("additional_contexts") or {})
    images = base_images(dockerfile_text(name, build), arguments, build.get("target"))
    return [image for image in images if image not in redirected]


def dockerfile_text(name: str, build: Mapping[str, Any]) -> str:
    """The Dockerfile that a service is built from; empty where it lies elsewhere; raises UsageError for none."""
    if "dockerfile_inline" in build:
        return str(build["dockerfile_inline"])
    context = str(build["context"])
    if "://" in context or context.startswith("git@"):
        return ""  # a remote context: its Dockerfile is not here to be read
    path = Path(context, build.get("dockerfile") or "Dockerfile")
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        raise UsageError(f"`{name}` is to be built from `{path}`, which does not exist",
                         "mend `build.context` or `build.dockerfile` in the Compose file") from None
