"""What a backend is (`mongodb`, `kafka`, `redis`, `minio`): said by `x-devenv: {kind: ...}`, or known by its image."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from devenv.errors import UsageError

# Kind -> images that are it, by their familiar names; the images of devenv's own recipes are known besides.
IMAGES: Mapping[str, tuple[str, ...]] = {
    "mongodb": ("mongo", "mongodb/mongodb-community-server", "mongodb/mongodb-enterprise-server", "bitnami/mongodb",
                "bitnamilegacy/mongodb", "percona/percona-server-mongodb", "ghcr.io/ferretdb/ferretdb"),
    "kafka": ("apache/kafka", "apache/kafka-native", "confluentinc/cp-kafka", "confluentinc/confluent-local",
              "bitnami/kafka", "bitnamilegacy/kafka"),
    "redis": ("redis", "valkey/valkey", "redis/redis-stack-server", "redis/redis-stack", "bitnami/redis",
              "bitnami/valkey", "bitnamilegacy/redis", "bitnamilegacy/valkey"),
    "minio": ("minio/minio", "quay.io/minio/minio", "pgsty/minio", "ghcr.io/coollabsio/minio", "bitnami/minio",
              "bitnamilegacy/minio"),
}


def kind_of(name: str, definition: Mapping[str, Any]) -> str:
    """The kind of a backend, or an empty text; raises UsageError for one that `x-devenv` makes up."""
    said = (definition.get("x-devenv") or {}).get("kind")
    if said is not None:
        if said not in IMAGES:
            raise UsageError(f"`{name}` is of kind `{said}`, which devenv does not know",
                             f"kinds: {', '.join(IMAGES)}; leave `x-devenv.kind` out for any other backend")
        return str(said)
    # Not needed where the answer is remembered.
    from devenv.images import recipes
    from devenv.images.reference import parse

    image = str(definition.get("image") or "")
    if recipe := recipes.find(image):
        return recipe.kind
    familiar = parse(image).familiar
    return next((kind for kind, images in IMAGES.items() if familiar in images), "")


def load(kind: str) -> Any:
    """The handle's class; each kind has a module of its own."""
    return getattr(import_module(f"{__name__}.{kind}"), kind.capitalize())
