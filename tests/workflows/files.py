"""Read the workflows: their jobs, and every step with the composite actions it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads the key `on` as true; GitHub does not."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in entries if tag != "tag:yaml.org,2002:bool"]
    for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile(r"^(true|false)$"), list("tf"))


@dataclass(frozen=True)
class Step:
    """One step, and where it stands."""

    workflow: str
    job: str
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.workflow}: {self.job}: {self.body.get('run') or self.body.get('uses')}"


def load(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), Loader=_Loader)


def workflows() -> dict[str, dict[str, Any]]:
    """Name of the file -> its content."""
    return {path.stem: load(path) for path in sorted(FOLDER.glob("*.yml"))}


def actions() -> dict[str, dict[str, Any]]:
    """`./.github/actions/NAME` -> its content."""
    return {f"./.github/actions/{path.parent.name}": load(path)
            for path in sorted((ROOT / ".github" / "actions").glob("*/action.yml"))}


def steps() -> Iterator[Step]:
    """Every step of every workflow and action."""
    for name, workflow in workflows().items():
        for job, body in workflow["jobs"].items():
            for step in body.get("steps", []):
                yield Step(name, job, step)
    for name, action in actions().items():
        for step in action["runs"]["steps"]:
            yield Step(name, "", step)
