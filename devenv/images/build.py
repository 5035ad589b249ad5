"""Build the image of one recipe from packages; what BuildKit has cached is not done again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devenv.engine import Engine
from devenv.errors import CommandError, DevenvError
from devenv.images.certificates import ca_bundle
from devenv.images.recipes import HASH_LABEL, RECIPE_LABEL, Recipe, load
from devenv.shell import Runner


def is_here(recipe: Recipe, engine: Engine) -> bool:
    """Whether the engine has the image of this very recipe; one that has only its alias gets its own name."""
    if _made_from(engine.image(recipe.reference)) == recipe.hash:
        return True
    named = engine.image(recipe.alias)
    if named is None or _made_from(named) != recipe.hash:
        return False
    repository, _, tag = recipe.reference.rpartition(":")
    engine.post(f"/images/{named['Id']}/tag", repo=repository, tag=tag)
    return True


def _made_from(image: Mapping[str, Any] | None) -> str:
    labels = ((image or {}).get("Config") or {}).get("Labels") or {}
    return str(labels.get(HASH_LABEL, ""))


def build(recipe: Recipe, runner: Runner, logs: Path) -> None:
    """Make `recipe.reference`; its bases must be there. Raises DevenvError that names the log."""
    log = logs / f"image-{recipe.name}.log"
    make = _bootstrap if recipe.build == "mmdebstrap" else _docker_build
    try:
        make(recipe, runner, log)
    except CommandError as failure:
        raise DevenvError(f"the image `{recipe.reference}` could not be built from packages:\n{failure.output}",
                          f"the whole output is in `{log}`; what was done is kept: mend the cause and try again",
                          {"cause": "image", "recipe": recipe.name}) from None


def _docker_build(recipe: Recipe, runner: Runner, log: Path) -> None:
    bundle = ca_bundle()
    bases = [f"DEVENV_BASE_{base.upper().replace('-', '_')}={load(base).reference}" for base in recipe.bases]
    runner.log(
        "docker", "build", "--progress", "plain", "--provenance", "false",
        "--label", f"{HASH_LABEL}={recipe.hash}",
        *(["--secret", f"id=ca_bundle,src={bundle}"] if bundle else []),
        *(word for base in bases for word in ("--build-arg", base)),
        "--tag", recipe.reference, "--tag", recipe.alias, str(recipe.directory),
        log=log, env={"DOCKER_BUILDKIT": "1"},
    )


def _bootstrap(recipe: Recipe, runner: Runner, log: Path) -> None:
    """Debian from its packages. The same packages give the same layer, so that what is built on it stays cached."""
    labels = {RECIPE_LABEL: recipe.name, HASH_LABEL: recipe.hash, "devenv.product": recipe.product,
              "devenv.stand-in": "false", "org.opencontainers.image.version": recipe.version}
    changes = [f"LABEL {' '.join(f'{key}={_quoted(value)}' for key, value in labels.items())}", 'CMD ["bash"]']
    runner.pipe(
        ("mmdebstrap", "--variant=minbase", f"--include={','.join(recipe.packages)}",
         *(f"--dpkgopt=path-exclude={pattern}" for pattern in recipe.exclude), recipe.suite, "-"),
        ("docker", "import", *(word for change in changes for word in ("--change", change)), "-", recipe.reference),
        log=log, env={"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "0")},
    )
    runner.run("docker", "tag", recipe.reference, recipe.alias)


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
