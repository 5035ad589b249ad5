"""The places in Kubernetes' objects where an image, a Secret or a host is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv.images.reference import parse

# Kind -> keys that lead to a host name.
_HOSTS = {"Ingress": {"host", "hosts"}, "HTTPRoute": {"hostnames"}, "GRPCRoute": {"hostnames"}, "Gateway": {"hostname"}}


@dataclass(frozen=True)
class ImageParts:
    """An image's name as it is written, in parts."""

    name: str
    tag: str
    digest: str

    @property
    def last(self) -> str:
        """What is built goes by this part."""
        return self.name.rpartition("/")[2]

    @property
    def registry(self) -> str:
        """Everything before it."""
        return self.name.rpartition("/")[0]


def image_parts(reference: str) -> ImageParts:
    """Take an image's name apart, without filling in what is not written."""
    parsed = parse(reference)
    name = reference.removesuffix(f"@{parsed.digest}") if parsed.digest else reference
    return ImageParts(name.removesuffix(f":{parsed.tag}") if parsed.tag else name, parsed.tag, parsed.digest)


def is_image(trail: tuple[Any, ...]) -> bool:
    """Whether these keys lead to a container's image."""
    return trail[-1] == "image" and len(trail) > 2 and trail[-3] in ("containers", "initContainers")


def is_secret(one: Mapping[str, Any], trail: tuple[Any, ...]) -> bool:
    """Whether these keys lead to the name of a Secret."""
    if trail[-1] == "secretName":
        return True
    if trail[-1] != "name":
        return False
    return (
        trail[-2] in ("secretRef", "secretKeyRef", "secret")
        or trail[-3:-2] in (("imagePullSecrets",), ("certificateRefs",))
        or (one["kind"] == "ExternalSecret" and trail == ("spec", "target", "name"))
    )


def is_host(one: Mapping[str, Any], trail: tuple[Any, ...]) -> bool:
    """Whether these keys lead to a host name under which people reach something."""
    return trail[0] == "spec" and bool(_HOSTS.get(one["kind"], set()) & {trail[-1], trail[-2]})
