"""Demo data: loaded once into new data, and again whenever a person asks."""

from __future__ import annotations

import json

from devenv.compose import Compose
from devenv.engine import Engine
from devenv.errors import CommandError, DevenvError
from devenv.model import Model
from devenv.project import Project, write_whole

FILE = "seeded.json"


def seed(compose: Compose, model: Model) -> str:
    """Run the project's seed services; returns what they wrote to standard output."""
    found = [name for name, service in model.services.items() if service.is_seed]
    if not found:
        raise DevenvError("this project has no demo data: no service has `x-devenv: {seed: true}`",
                          "give one that setting and a profile, then try again")
    said = ""
    for name in found:
        try:
            said += compose.runner.read(
                *compose.argv("--profile", "*", "run", "--rm", "--no-deps", "-T", name), env=compose.environment
            )
        except CommandError as failure:
            raise DevenvError(f"`{name}` could not load the demo data:\n{failure.output}", "devenv status") from None
    return said


def seed_once(project: Project, engine: Engine, compose: Compose, model: Model) -> None:
    """Load the demo data unless this data has it already."""
    if not any(service.is_seed for service in model.services.values()):
        return
    data = _data(project, engine)
    path = project.state / FILE
    try:
        if json.loads(path.read_text()) == data:
            return
    except (OSError, ValueError):
        pass
    seed(compose, model)
    write_whole(path, json.dumps(data))


def _data(project: Project, engine: Engine) -> dict[str, str]:
    """Which volumes there are, and since when: new ones are new data."""
    return {one["Name"]: one["CreatedAt"] for one in engine.volumes(project.name)}
