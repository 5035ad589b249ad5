"""The images of a set: third-party ones as `devenv images` finds them, services built from their source as it is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from devenv.engine import Engine
from devenv.images.reference import parse
from devenv.project import write_whole
from devenv.testing.plan import Plan
from devenv.testing.records import Record

# Set to 1 by what has built the services already, as `devenv test` does: they are not built again then.
BUILT = "DEVENV_TEST_BUILT"


def are_built() -> bool:
    """Whether the images of the services are known to be those of their source."""
    return os.environ.get(BUILT) == "1"


def is_still(record: Record, local: dict[str, str]) -> bool:
    """Whether a record's image is what its name stands for now; `local` is from `local_images`."""
    if record.image != record.wanted and parse(record.wanted).pullable in local:
        return False  # a stand-in was used, and the real one has come since
    return local.get(parse(record.image).pullable) == record.image_id


def local_images(engine: Engine) -> dict[str, str]:
    """Every name that this machine has an image for -> its id, in one call."""
    found = {}
    for one in engine.get("/images/json"):
        for name in (*(one.get("RepoTags") or ()), *(one.get("RepoDigests") or ())):
            found[name] = one["Id"]
    return found


def find_once(plan: Plan, engine: Engine, names: Iterable[str], run: str, memory: Path) -> dict[str, tuple[str, str]]:
    """As `find`, but each image once in a run; the file `memory` tells the run's other workers."""
    chosen = list(names)
    told = json.loads(memory.read_text()) if memory.is_file() else {}
    known = {name: (wanted, used) for name, (wanted, used) in told.get(run, {}).items()}
    missing = [name for name in chosen if name not in known]
    if missing:
        known |= find(plan, engine, missing)
        write_whole(memory, json.dumps({run: known}))
    return {name: known[name] for name in chosen}


def find(plan: Plan, engine: Engine, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Name -> (the image that its definition wants, the one to use); pulls and builds what is not here.

    Raises DevenvError that lists every image that cannot be had.
    """
    from devenv.images.bake import image_name
    from devenv.images.resolve import resolve
    from devenv.images.wanted import wanted_images
    from devenv.lock import locked
    from devenv.shell import Runner

    chosen = list(names)
    project, model = plan.project, plan.model
    with locked(project.state, "pytest"):
        resolved = resolve(wanted_images(model.data, chosen), engine=engine, runner=Runner(), offline=False,
                           logs=project.state / "logs")
        built = [name for name in chosen if model.services[name].is_built]
        if built and not are_built():
            _build(plan, engine, built, resolved)
    used = {}
    for name in chosen:
        service = model.services[name]
        wanted = image_name(project, service)
        used[name] = (wanted, wanted if service.is_built else resolved[str(service.definition["image"])].reference)
    return used


def _build(plan: Plan, engine: Engine, names: list[str], resolved: object) -> None:
    """Build as `devenv build` does; what BuildKit has seen before costs about a second."""
    from devenv.compose import Compose, input_files
    from devenv.environment import environment
    from devenv.images.bake import bake
    from devenv.images.certificates import ca_bundle
    from devenv.images.overlay import image_overlay
    from devenv.runtimes import builds
    from devenv.shell import Runner

    bundle = ca_bundle()
    overlay = plan.project.state / "testing" / "images.yml"
    content = image_overlay(plan.model.data, names, resolved, bundle)  # type: ignore[arg-type]
    write_whole(overlay, "# written by devenv\n" + json.dumps(content, indent=1) + "\n")
    variables = environment(plan.project, input_files(plan.project), bundle)
    compose = Compose(plan.project, Runner(), variables, (overlay,))
    bake(compose, names)
    builds.remember(plan.project, engine, plan.model, names)
