"""Services' images in a registry: pushed under their digest, and taken from there instead of built."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from devenv import output
from devenv.engine import Engine
from devenv.errors import DevenvError, UsageError
from devenv.images.bake import image_name
from devenv.model import Model
from devenv.project import Project
from devenv.shell import Runner


@dataclass(frozen=True)
class Manifest:
    """What a registry has under a name."""

    digest: str
    config: str  # the image's ID; empty for an index of several images


def manifest(reference: str, runner: Runner, timeout_s: float = 120) -> Manifest:
    """The manifest that a registry gives; raises CommandError where it gives none.

    Asked through `docker buildx imagetools`, which has the person's logins. A manifest's digest is the hash of the
    bytes that come back (OCI distribution-spec, "digest"); its config's digest is the image's ID.
    """
    text = runner.read("docker", "buildx", "imagetools", "inspect", "--raw", reference, timeout_s=timeout_s)
    try:
        config = str(json.loads(text)["config"]["digest"])
    except (ValueError, KeyError, TypeError):
        config = ""
    return Manifest(f"sha256:{sha256(text.encode()).hexdigest()}", config)


def content_tag(repository: str, image_id: str) -> str:
    """The name that an image is pushed under: its tag says what it is, so it never needs to move."""
    return f"{repository}:{image_id.removeprefix('sha256:')[:20]}"


def upload(image_id: str, tag: str, runner: Runner, log: Path) -> None:
    """Push an image of this machine under a name."""
    runner.read("docker", "tag", image_id, tag)
    runner.log("docker", "push", "--quiet", tag, log=log)


@dataclass(frozen=True)
class Built:
    """The image of one service: its name here, what it is, and once pushed where it can be had by digest."""

    service: str
    image: str
    id: str
    reference: str = ""

    @property
    def name(self) -> str:
        """The image's own name: the last part of its repository in the registry."""
        return self.reference.partition("@")[0].rpartition("/")[2]

    def as_json(self) -> dict[str, str]:
        """Without what is not known."""
        return {key: value for key, value in asdict(self).items() if value}


def built(project: Project, engine: Engine, model: Model, names: Iterable[str]) -> list[Built]:
    """The images of the services among `names` that are built, as this machine has them."""
    services = [model.services[name] for name in names if model.services[name].is_built]
    named = [(one.name, image_name(project, one)) for one in services]
    return [Built(name, image, (engine.image(image) or {}).get("Id", "")) for name, image in named]


def push(project: Project, images: Iterable[Built], registry: str, engine: Engine, runner: Runner) -> list[Built]:
    """Push each image once as `REGISTRY/NAME`, and return the references by digest. Its tag is its content."""
    pushed: dict[str, str] = {}
    done = []
    for one in images:
        if one.image not in pushed:
            repository = f"{registry.rstrip('/')}/{bare_name(project, one.image)}"
            tag = content_tag(repository, one.id)
            output.say(f"  pushing {tag}")
            upload(one.id, tag, runner, project.state / "logs" / "push.log")
            pushed[one.image] = _digest(engine, tag, repository)
        done.append(Built(one.service, one.image, one.id, pushed[one.image]))
    return done


def read_images(file: Path) -> dict[str, Built]:
    """Service -> image, from what `devenv build --push --json` wrote; raises UsageError for anything else."""
    try:
        data = json.loads(file.read_text())
        found = [Built(**one) for one in data["images"]]
    except (OSError, ValueError, KeyError, TypeError) as cause:
        raise UsageError(f"`{file}` is not a list of pushed images: {cause}",
                         "write it with `devenv build --push REGISTRY --json > FILE`") from None
    unpushed = [one.service for one in found if not one.reference]
    if unpushed:
        raise UsageError(f"`{file}` has no reference for {', '.join(unpushed)}: the images were built, not pushed",
                         "write it with `devenv build --push REGISTRY --json > FILE`")
    return {one.service: one for one in found}


def take(images: Mapping[str, Built], wanted: Iterable[Built], engine: Engine, runner: Runner, log: Path) -> None:
    """Pull the image of each wanted service by digest and give it the name Compose asks for."""
    pulled: set[str] = set()
    for here in wanted:
        one = images.get(here.service)
        if one is None:
            raise DevenvError(f"the list of pushed images has none for `{here.service}`",
                              "it was written for other services: build and push again")
        if one.reference not in pulled:
            output.say(f"  pulling {one.reference}")
            runner.log("docker", "pull", "--quiet", one.reference, log=log)
            pulled.add(one.reference)
        found = (engine.image(one.reference) or {}).get("Id")
        if found != one.id:
            raise DevenvError(f"`{one.reference}` is the image {found}, but {one.id} was built",
                              "the list and the registry do not belong together: build and push again")
        runner.read("docker", "tag", one.reference, here.image)


def bare_name(project: Project, image: str) -> str:
    """`caas-1a2b3c-web` and `example.com/team/web:1` -> `web`."""
    return image.removeprefix(f"{project.name}-").rpartition("/")[2].partition(":")[0]


def _digest(engine: Engine, tag: str, repository: str) -> str:
    for reference in (engine.image(tag) or {}).get("RepoDigests") or []:
        if reference.startswith(f"{repository}@"):
            return str(reference)
    raise DevenvError(f"the engine knows no digest of `{tag}`, though it was pushed",
                      "push again: `devenv build --push`")
