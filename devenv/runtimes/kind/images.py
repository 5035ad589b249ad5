"""The images of a cluster: found, built, and pushed under the names that its pods ask for."""

from __future__ import annotations

from dataclasses import dataclass

from devenv import output
from devenv.compose import Compose, input_files, load_yaml
from devenv.environment import write_by_hand
from devenv.images import recipes
from devenv.images.certificates import ca_bundle
from devenv.images.overlay import image_overlay
from devenv.images.resolve import resolve
from devenv.images.wanted import wanted_images
from devenv.project import Project, write_whole
from devenv.runtimes import builds, record
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
        image = up.engine.image(local)
        if name in named and image is not None:
            tag = image["Id"].removeprefix("sha256:")[:20]
            found.append(ServiceImage(name, local, f"{up.registry.host}/{name}:{tag}"))
    return found


def find_images(up: KindUp) -> None:
    """Find third-party images: local, pulled, or built from packages."""
    bare = set(up.model.services)
    third = [image for one in (up.overlay, *up.addons) for image in one.images if image not in bare]
    wanted = [*wanted_images(up.model.data, up.built), *third, REGISTRY_IMAGE, node_image(up.project)]
    up.images = resolve(dict.fromkeys(wanted), engine=up.engine, runner=up.runner, offline=up.request.offline,
                        logs=up.project.state / "logs")
    overlay = image_overlay(up.model.data, up.built, up.images, ca_bundle())
    write_whole(up.project.state / "images.yml", "# written by devenv\n" + record.dumps(overlay))
    write_by_hand(up.project, input_files(up.project), up.compose.environment,
                  {name: one.reference for name, one in up.images.items()})
    up.compose = Compose(up.project, up.runner, up.compose.environment, (up.project.state / "images.yml",))
    up.notes += [f"{one.wanted} is a stand-in: {one.product}" for one in up.images.values()
                 if one.source == "built" and not one.exact]


def build_and_push(up: KindUp) -> None:
    """Start the registry, build what is out of date, and push everything that pods will ask for."""
    up.registry.start(up.images[REGISTRY_IMAGE].reference)
    stale = builds.stale(up.project, up.engine, up.model, up.built, force=up.request.build or up.request.as_built)
    if stale:
        output.say(f"  building {', '.join(stale)}")
        up.compose.log("build", "--profile", "*", "build", *stale)
        builds.remember(up.project, up.engine, up.model, stale)
    bases = set(wanted_images(up.model.data, up.built))
    third = [(one.reference, up.registry.mirrored(wanted)) for wanted, one in up.images.items()
             if wanted not in bases | {REGISTRY_IMAGE, node_image(up.project)}]
    ours = service_images(up)
    # Under the bare names too, as the node's mirror of Docker Hub gives them to `kubectl apply -k` by hand.
    bare = [(one.local, up.registry.mirrored(one.bare)) for one in ours]
    up.registry.push([*third, *bare, *((one.local, one.name) for one in ours)])


def node_image(project: Project) -> str:
    """Upstream's name of the node's image."""
    return f"kindest/node:v{kubernetes_version(project)}"


def kubernetes_version(project: Project) -> str:
    """The version of Kubernetes: the project's `k8s/versions.json`, or that of the recipe."""
    known = recipes.load("kind-node").version
    path = project.root / "k8s" / "versions.json"
    wanted = str(load_yaml(path).get("kubernetes", known)) if path.is_file() else known
    return known if known.startswith(wanted) else wanted
