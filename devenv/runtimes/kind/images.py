"""The images of a cluster: found, built, and pushed under the names that its pods ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devenv.compose import load_yaml
from devenv.images import recipes
from devenv.images.registry import content_tag
from devenv.images.resolve import resolve
from devenv.images.wanted import wanted_images
from devenv.project import Project
from devenv.runtimes import builds
from devenv.runtimes.found_images import FILE as IMAGES_FILE
from devenv.runtimes.found_images import stand_in_notes, write_found
from devenv.runtimes.kind.context import KindUp

REGISTRY_IMAGE = "registry:3"


@dataclass(frozen=True)
class ServiceImage:
    """One built image: its name in the manifests, on this machine, and in the registry (a tag that is its content)."""

    bare: str
    local: str
    name: str


def service_images(up: KindUp) -> list[ServiceImage]:
    """The services' images that the manifests name."""
    named = set(up.overlay.images)
    found = []
    for name, local in up.built.items():
        image = up.engine.image(local) if name in named else None
        if image is not None:
            found.append(ServiceImage(name, local, content_tag(f"{up.registry.host}/{name}", image["Id"])))
    return found


def find_images(up: KindUp) -> None:
    """Find third-party images: local, pulled, or built from packages."""
    bare = set(up.model.services)
    third = [image for one in (up.overlay, *up.addons) for image in one.images if image not in bare]
    wanted = [*wanted_images(up.model.data, up.built), *third, REGISTRY_IMAGE, node_image(up.project)]
    up.images = resolve(dict.fromkeys(wanted), engine=up.engine, runner=up.runner, offline=up.request.offline,
                        logs=up.project.state / "logs")
    write_found(up.project, up.sources, up.compose.environment, up.model, up.built, up.images)
    up.compose = replace(up.compose, overlays=(up.project.state / IMAGES_FILE,))
    up.notes += stand_in_notes(up.images)


def build_and_push(up: KindUp) -> None:
    """Start the registry, build what is out of date, and push everything that pods will ask for."""
    up.registry.start(up.images[REGISTRY_IMAGE].reference)
    builds.build_stale(up.compose, up.engine, up.model, up.built, force=up.request.build, exact=up.request.as_built)
    bases = set(wanted_images(up.model.data, up.built))
    third = [(one.reference, up.registry.mirrored(wanted)) for wanted, one in up.images.items()
             if wanted not in bases | {REGISTRY_IMAGE, node_image(up.project)}]
    ours = service_images(up)
    # Under the bare names too, as the node's mirror of Docker Hub gives them to `kubectl apply -k` by hand.
    bare = [(one.local, up.registry.mirrored(one.bare)) for one in ours]
    up.registry.push([*third, *bare, *((one.local, one.name) for one in ours)])


def node_image(project: Project) -> str:
    """The name of the node's image: of `k8s/versions.json`, or upstream's for the version of the recipe."""
    path = project.root / "k8s" / "versions.json"
    known = load_yaml(path) if path.is_file() else {}
    return str(known.get("kind_node") or f"kindest/node:v{recipes.load('kind-node').version}")
