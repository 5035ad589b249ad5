"""Programs that a runtime needs on this machine: on PATH, or built from packages into this user's own folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from devenv import output
from devenv.engine import Engine
from devenv.images import recipes
from devenv.images.certificates import ca_bundle
from devenv.images.resolve import resolve
from devenv.shell import Runner

RECIPE = "tools"
_BASE = re.compile(r"^ARG (DEVENV_BASE_\w+)=(\S+)$", re.MULTILINE)


def folder() -> Path:
    """Where devenv keeps programs it has built: the user's cache directory (XDG), by the version of the recipe."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "devenv" / "bin" / recipes.load(RECIPE).version


def use_folder() -> None:
    """Put the folder at the end of PATH: what the person installed comes first."""
    known = os.environ.get("PATH", "").split(os.pathsep)
    if str(folder()) not in known:
        os.environ["PATH"] = os.pathsep.join([*known, str(folder())])


def ensure_programs(names: Iterable[str], runner: Runner, engine: Engine, logs: Path) -> None:
    """Make sure that each program is found; builds what is missing from packages, and says so."""
    use_folder()
    missing = [name for name in names if shutil.which(name) is None]
    if not missing:
        return
    recipe = recipes.load(RECIPE)
    output.say(f"  building from packages into {folder()}: {', '.join(missing)}")
    # Upstream's base where it can be had: building one takes mmdebstrap, which not every machine has.
    bases = dict(_BASE.findall((recipe.directory / "Dockerfile").read_text()))
    found = resolve(bases.values(), engine=engine, runner=runner, offline=False, logs=logs)
    bundle = ca_bundle()
    for name in missing:
        runner.log(
            "docker", "build", "--progress", "plain", "--target", name,
            *(["--secret", f"id=ca_bundle,src={bundle}"] if bundle else []),
            *(word for base, wanted in bases.items() for word in ("--build-arg", f"{base}={found[wanted].reference}")),
            "--output", f"type=local,dest={folder().parent / 'new'}", str(recipe.directory),
            log=logs / f"tool-{name}.log", env={"DOCKER_BUILDKIT": "1"},
        )
        folder().mkdir(parents=True, exist_ok=True)
        (folder().parent / "new" / "bin" / name).replace(folder() / name)
