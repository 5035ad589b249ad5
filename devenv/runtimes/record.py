"""What the last `up` brought about, so that the next one can see in one look that nothing is to be done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from devenv import __version__
from devenv.engine import Engine
from devenv.project import Project, write_whole
from devenv.runtimes.containers import Container, observe

FILE = "up.json"


@dataclass(frozen=True)
class Endpoint:
    """A place to go: a service's published port."""

    service: str
    url: str


@dataclass(frozen=True)
class Record:
    """A finished `up`: what was asked, from which inputs, and what ran at its end."""

    request: str
    inputs: dict[str, str]  # file -> hash; missing files count, with an empty hash
    variables: dict[str, str]  # variable the files mention -> hash of its value
    containers: dict[str, list[list[str]]]  # service -> [config hash, image id, state it ended in]
    images: dict[str, str]  # reference -> id, so that an image rebuilt by hand is noticed
    endpoints: list[dict[str, str]]
    next: str
    version: str = __version__


def take(
    project: Project, engine: Engine, request: str, inputs: Iterable[Path], variables: Iterable[str],
    names: Iterable[str], images: dict[str, str], endpoints: Iterable[Endpoint], next_: str,
) -> None:
    """Write the record of an `up` that ended well."""
    seen = observe(engine, project.name)
    record = Record(
        request=request,
        inputs=hash_files(inputs),
        variables=hash_variables(variables),
        containers={name: [_essence(one) for one in seen.get(name, [])] for name in names},
        images=images,
        endpoints=[asdict(one) for one in endpoints],
        next=next_,
    )
    write_whole(project.state / FILE, json.dumps(asdict(record), indent=1))


def still_true(project: Project, engine: Engine, request: str) -> Record | None:
    """The last record, if the same request would change nothing now; two calls to the engine."""
    record = load(project)
    if record is None or record.request != request or record.version != __version__:
        return None
    if hash_files(map(Path, record.inputs)) != record.inputs:
        return None
    if hash_variables(record.variables) != record.variables:
        return None
    seen = observe(engine, project.name)
    for name, expected in record.containers.items():
        found = seen.get(name, [])
        if [_essence(one) for one in found] != expected or any(one.health == "starting" for one in found):
            return None
    local = {tag: one["Id"] for one in engine.get("/images/json") for tag in one.get("RepoTags") or []}
    if any(local.get(reference) != identity for reference, identity in record.images.items()):
        return None
    return record


def dumps(data: object) -> str:
    """JSON for a machine-written file."""
    return json.dumps(data, indent=1) + "\n"


def load(project: Project) -> Record | None:
    """The last record, or None where there is none that can be read."""
    try:
        return Record(**json.loads((project.state / FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget(project: Project) -> None:
    """Drop the record: what follows changes the platform."""
    (project.state / FILE).unlink(missing_ok=True)


def hash_files(paths: Iterable[Path]) -> dict[str, str]:
    """Path -> SHA-256 of the content, or an empty text where there is no file."""
    return {str(path): sha256(path.read_bytes()).hexdigest() if path.is_file() else "" for path in paths}


def hash_variables(names: Iterable[str]) -> dict[str, str]:
    """Variable -> hash of its value in our environment; the value itself may be a secret."""
    return {name: sha256(os.environ.get(name, "\0").encode()).hexdigest()[:16] for name in sorted(names)}


def _essence(one: Container) -> list[str]:
    return [one.config_hash, one.image_id, one.health or one.state]
