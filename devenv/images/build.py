"""Build the image of one recipe from packages; what BuildKit has cached is not done again."""

from __future__ import annotations

import os
from pathlib import Path

from devenv.engine import Engine
from devenv.errors import CommandError, DevenvError
from devenv.images.certificates import ca_bundle
from devenv.images.recipes import HASH_LABEL, RECIPE_LABEL, Recipe, load
from devenv.shell import Runner


def is_current(recipe: Recipe, engine: Engine) -> bool:
    """Whether the engine has the image of this very recipe."""
    image = engine.image(recipe.reference) or {}
    labels = (image.get("Config") or {}).get("Labels") or {}
    return labels.get(HASH_LABEL) == recipe.hash


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
        "--tag", recipe.reference, str(recipe.directory),
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


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
