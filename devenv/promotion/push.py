"""Images in the environment's registry: by digest, and proved to be the tested ones.

The registry is asked through `docker buildx imagetools`, which has the person's logins. A manifest's digest is the hash
of the bytes that come back (OCI distribution-spec, "digest"); its config's digest is the image's ID.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from devenv.errors import CommandError, DevenvError
from devenv.promotion.release import Image
from devenv.shell import Runner


@dataclass(frozen=True)
class Manifest:
    """What a registry has under a name."""

    digest: str
    config: str  # the image's ID


def look(runner: Runner, reference: str) -> Manifest | None:
    """The manifest of a reference, or None where the registry has none or does not answer."""
    try:
        text = runner.read("docker", "buildx", "imagetools", "inspect", "--raw", reference, timeout_s=60)
    except CommandError:
        return None
    try:
        config = json.loads(text)["config"]["digest"]
    except (ValueError, KeyError, TypeError):
        raise DevenvError(f"`{reference}` is no image of one platform",
                          "push the image itself, not an index with attestations") from None
    return Manifest(f"sha256:{sha256(text.encode()).hexdigest()}", config)


def tag_of(registry: str, name: str, image_id: str) -> str:
    """The name that an image is pushed under: its tag says what it is, so it never needs to move."""
    return f"{registry}/{name}:{image_id.removeprefix('sha256:')[:20]}"


def there(runner: Runner, registry: str, name: str, image_id: str) -> Image | None:
    """The image if the registry has it; raises DevenvError where its tag leads to another one."""
    tag = tag_of(registry, name, image_id)
    found = look(runner, tag)
    if found is None:
        return None
    if found.config != image_id:
        raise DevenvError(f"the tag `{tag}` was moved: it leads to the image {found.config[:19]}, and {image_id[:19]} "
                          "was tested", "make the registry's tags immutable, delete that tag, and promote again")
    return Image(image_id, f"{registry}/{name}@{found.digest}")


def push(runner: Runner, registry: str, name: str, image_id: str, log: Path) -> Image:
    """Push an image of this machine and read back what the registry has; raises DevenvError where that is another."""
    tag = tag_of(registry, name, image_id)
    runner.read("docker", "tag", image_id, tag)
    runner.log("docker", "push", "--quiet", tag, log=log)
    image = there(runner, registry, name, image_id)
    if image is None:
        raise DevenvError(f"`{tag}` was pushed, and the registry does not give it back", "try again")
    return image


def still_there(runner: Runner, image: Image) -> bool:
    """Whether the registry still gives exactly this manifest."""
    found = look(runner, image.reference)
    return found is not None and found.digest == image.digest and found.config == image.image_id
