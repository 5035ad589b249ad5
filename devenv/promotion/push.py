"""Images in the environment's registry: by digest, and proved to be the tested ones."""

from __future__ import annotations

from pathlib import Path

from devenv.errors import CommandError, DevenvError
from devenv.images.registry import Manifest, content_tag, manifest, upload
from devenv.promotion.release import Image
from devenv.shell import Runner


def look(runner: Runner, reference: str) -> Manifest | None:
    """The manifest of a reference, or None where the registry has none or does not answer."""
    try:
        found = manifest(reference, runner, timeout_s=60)
    except CommandError:
        return None
    if not found.config:
        raise DevenvError(f"`{reference}` is no image of one platform",
                          "push the image itself, not an index with attestations")
    return found


def tag_of(registry: str, name: str, image_id: str) -> str:
    """The name that a service's image has in the environment's registry."""
    return content_tag(f"{registry}/{name}", image_id)


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
    upload(image_id, tag, runner, log)
    image = there(runner, registry, name, image_id)
    if image is None:
        raise DevenvError(f"`{tag}` was pushed, and the registry does not give it back", "try again")
    return image


def still_there(runner: Runner, image: Image) -> bool:
    """Whether the registry still gives exactly this manifest."""
    found = look(runner, image.reference)
    return found is not None and found.digest == image.digest and found.config == image.image_id
