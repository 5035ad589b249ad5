"""Names of images, taken apart. Source: the grammar of distribution/reference."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_REGISTRY = "docker.io"
_OFFICIAL = "library/"


@dataclass(frozen=True)
class Reference:
    """One image name: `registry/repository:tag@digest`; the parts that are absent are empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def familiar(self) -> str:
        """The name as people write it, without tag and digest: `mongo`, `apache/kafka`, `quay.io/minio/minio`."""
        if self.registry != DEFAULT_REGISTRY:
            return f"{self.registry}/{self.repository}"
        return self.repository.removeprefix(_OFFICIAL)

    @property
    def pullable(self) -> str:
        """The name with an explicit tag or digest: without one, some clients pull every tag."""
        if self.digest:
            return f"{self.familiar}@{self.digest}"
        return f"{self.familiar}:{self.tag or 'latest'}"


def parse(text: str) -> Reference:
    """Take an image name apart."""
    name, _, digest = text.partition("@")
    head, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        head, tag = name, ""
    first, slash, rest = head.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return Reference(first, rest, tag, digest)
    repository = head if slash else _OFFICIAL + head
    return Reference(DEFAULT_REGISTRY, repository, tag, digest)
