"""What was found for the images that a project wants, written down for Compose and for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from devenv.environment import write_by_hand
from devenv.images.certificates import ca_bundle
from devenv.images.overlay import image_overlay
from devenv.images.resolve import BUILT, Resolved
from devenv.model import Model
from devenv.project import Project, write_whole
from devenv.runtimes.record import dumps

FILE = "images.yml"


def write_found(project: Project, sources: Iterable[Path], variables: Mapping[str, str], model: Model,
                names: Iterable[str], images: Mapping[str, Resolved]) -> None:
    """Write the Compose override that points at the images, and the `.env` for those who work by hand."""
    overlay = image_overlay(model.data, names, images, ca_bundle())
    write_whole(project.state / FILE, "# written by devenv\n" + dumps(overlay))
    write_by_hand(project, sources, variables, {name: one.reference for name, one in images.items()})


def stand_in_notes(images: Mapping[str, Resolved]) -> list[str]:
    """A line for each image that is another product or version than its name says."""
    return [f"{one.wanted} is a stand-in: {one.product}" for one in images.values()
            if one.source == BUILT and not one.exact]
