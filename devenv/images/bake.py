"""Build services with `docker buildx bake`: the same source gives the same image, in every checkout and in CI.

`docker compose build` writes the checkout's project name and its own version into each image's labels, so that one
commit would have as many images as there are checkouts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from devenv.compose import Compose
from devenv.model import Service
from devenv.project import Project, write_whole

# The `created` times in an image; files get theirs from the build argument of the same name.
SOURCE_DATE_EPOCH = "0"


def image_name(project: Project, service: Service) -> str:
    """The name Compose gives the image of a service."""
    return str(service.definition.get("image") or f"{project.name}-{service.name}")


def bake(compose: Compose, names: Iterable[str]) -> None:
    """Build the images of `names`, each once where services share one, with the output in a log."""
    project, model = compose.project, compose.model()
    shared: dict[str, str] = {}
    for name in names:
        shared.setdefault(image_name(project, model.services[name]), name)
    # What Compose makes of the files, so that bake sees every overlay and variable, and no secret of a running service.
    content = {
        "services": {name: {"build": model.services[name].definition["build"], "image": image}
                     for image, name in shared.items()},
        "secrets": {key: one for key, one in (model.data.get("secrets") or {}).items() if "environment" not in one},
    }
    file = project.state / "bake.yml"
    write_whole(file, "# written by devenv\n" + json.dumps(content, indent=1) + "\n")
    settings = {
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", SOURCE_DATE_EPOCH),
        # An attestation beside the image would hold the time of the build.
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        # The certificates lie outside of the project; newer versions of bake ask about that.
        "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
    }
    compose.runner.log(
        "docker", "buildx", "bake", "--progress", "plain", "--file", str(file), "--load",
        log=project.state / "logs" / "build.log", cwd=project.root, env={**compose.environment, **settings},
    )
