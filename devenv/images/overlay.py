"""A Compose override that points services at the images that were found, and builds at this machine's certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from devenv.images.resolve import Resolved
from devenv.images.wanted import bases_of, dockerfile_text

SECRET = "ca_bundle"


def image_overlay(model: Mapping[str, Any], names: Iterable[str], images: Mapping[str, Resolved],
                  ca_bundle: Path | None) -> dict[str, Any]:
    """`image:` for backends; for builds a named context, which BuildKit takes instead of the image in `FROM`.

    A Dockerfile that mounts the secret `ca_bundle` gets it even where the Compose file does not name it.
    """
    moved = {wanted: one.reference for wanted, one in images.items() if one.reference != wanted}
    services: dict[str, Any] = {}
    for name in names:
        definition = model["services"][name]
        if "build" not in definition:
            if definition.get("image") in moved:
                services[name] = {"image": moved[definition["image"]]}
            continue
        build: dict[str, Any] = {}
        contexts = {base: f"docker-image://{moved[base]}" for base in bases_of(name, definition["build"])
                    if base in moved}
        if contexts:
            build["additional_contexts"] = contexts
        if ca_bundle and _wants_secret(name, definition["build"]) and SECRET not in (model.get("secrets") or {}):
            build["secrets"] = [SECRET]
        if build:
            services[name] = {"build": build}
    overlay: dict[str, Any] = {"services": services} if services else {}
    if any(SECRET in one.get("build", {}).get("secrets", []) for one in services.values()):
        overlay["secrets"] = {SECRET: {"file": str(ca_bundle)}}
    return overlay


def _wants_secret(name: str, build: Mapping[str, Any]) -> bool:
    return f"id={SECRET}" in dockerfile_text(name, build)
