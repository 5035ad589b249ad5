"""The recipes in `devenv/recipes`: third-party images that can be built from packages where no registry is reached."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path

from devenv.images.reference import Reference, parse

DIRECTORY = Path(__file__).parent.parent / "recipes"
REPOSITORY = "localhost/devenv"
HASH_LABEL, RECIPE_LABEL = "devenv.recipe-hash", "devenv.recipe"


@dataclass(frozen=True)
class Recipe:
    """One `recipe.toml`, with the directory it lies in."""

    name: str
    directory: Path
    version: str
    stands_in_for: tuple[str, ...]  # familiar names: `mongo`, `quay.io/minio/minio`
    product: str
    licence: str
    origin: str
    exact: bool  # the same product as the upstream image holds
    bases: tuple[str, ...]  # recipes it is built on
    kind: str  # mongodb, kafka, redis, minio, or empty
    notes: str
    build: str = "docker"  # or "mmdebstrap"
    suite: str = ""
    packages: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tags: tuple[str, ...] = field(default=())  # beginnings of tags that mean this version

    @property
    def reference(self) -> str:
        """The name of the image it makes: one for each content, so that two checkouts do not build over each other."""
        return f"{self.alias}-{self.hash[:8]}"

    @property
    def alias(self) -> str:
        """The name for people: what was last built of this version, whichever checkout has built it."""
        return f"{REPOSITORY}/{self.name}:{self.version}"

    def is_exact_for(self, wanted: Reference) -> bool:
        """Whether its image is the product and the version that `wanted` names."""
        if not self.exact or wanted.digest:
            return False
        return wanted.tag in ("", "latest") or wanted.tag.startswith((self.version, *self.tags))

    @cached_property
    def hash(self) -> str:
        """Changes with every file of the recipe and of its bases."""
        digest = sha256()
        for path in sorted(self.directory.rglob("*")):
            if path.is_file():
                digest.update(f"{path.relative_to(self.directory)}\0{path.stat().st_mode & 0o111}\0".encode())
                digest.update(path.read_bytes() + b"\0")
        for base in self.bases:
            digest.update(load(base).hash.encode())
        return digest.hexdigest()[:32]


@cache
def load(name: str) -> Recipe:
    """The recipe of this name; raises FileNotFoundError where there is none."""
    directory = DIRECTORY / name
    data = tomllib.loads((directory / "recipe.toml").read_text())
    lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    return Recipe(name=name, directory=directory, **{**data, **lists})


def every() -> Iterator[Recipe]:
    """All recipes, by name."""
    for path in sorted(DIRECTORY.glob("*/recipe.toml")):
        yield load(path.parent.name)


def find(text: str) -> Recipe | None:
    """The recipe whose image stands in for the image name `text`, or is that image itself."""
    wanted = parse(text)
    for recipe in every():
        if wanted.familiar in (*recipe.stands_in_for, f"{REPOSITORY}/{recipe.name}"):
            return recipe
    return None
