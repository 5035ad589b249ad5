"""Remove sets: what carries their label at the engine, and their directories. Nothing unlabelled is touched."""

from __future__ import annotations

import shutil
from pathlib import Path
from time import sleep

from devenv.engine import Engine, EngineError
from devenv.project import Project
from devenv.testing.labels import PROJECT, SET
from devenv.testing.leases import FILE, Terms, alone, idle_s, was_abandoned

SETS = Path("testing", "sets")


def end_sets(project: Project, engine: Engine) -> tuple[list[str], list[str]]:
    """Remove every test set of this checkout that no run uses; returns the removed ones, and those in use.

    This is what `devenv down` calls.
    """
    ended: list[str] = []
    in_use: list[str] = []
    for set_id, directory in _known(project, engine).items():
        (ended if _end(engine, set_id, directory) else in_use).append(set_id)
    return ended, in_use


def sweep(project: Project, engine: Engine, own: Path, warm: Path) -> None:
    """Remove what nobody uses and nobody will: sets of killed runs, idle too long, of definitions since changed.

    `own` is the set of the caller, `warm` the one that a later run may want.
    """
    for set_id, directory in _known(project, engine).items():
        if directory != own and not (directory == warm and _has_future(directory)):
            _end(engine, set_id, directory)


def is_over(directory: Path, terms: Terms) -> bool:
    """Whether a set that nobody uses has no future: not to be kept, left by a kill, or idle for too long."""
    return not terms.reuse or was_abandoned(directory) or idle_s(directory) >= terms.idle_limit_s


def remove(engine: Engine, set_id: str, settle_s: float = 0) -> None:
    """Remove the set's containers, networks and volumes.

    With `settle_s`, look again after that time: a killed process may have left a request under way.
    """
    from concurrent.futures import ThreadPoolExecutor

    while True:
        filters = {"label": [f"{SET}={set_id}"]}
        containers = [f"/containers/{one['Id']}" for one in engine.get("/containers/json", all=1, filters=filters)]
        networks = [f"/networks/{one['Id']}" for one in engine.get("/networks", filters=filters)]
        volumes = [f"/volumes/{one['Name']}" for one in engine.get("/volumes", filters=filters)["Volumes"] or ()]
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda path: _delete(engine, path, force=1, v=1), containers))
            list(pool.map(lambda path: _delete(engine, path), [*networks, *volumes]))
        if not settle_s or not (containers or networks or volumes):
            return
        sleep(settle_s)


def _has_future(directory: Path) -> bool:
    try:
        return not is_over(directory, Terms.read(directory))
    except (OSError, ValueError):
        return False


def _delete(engine: Engine, path: str, **query: int) -> None:
    try:
        engine.delete(path, **query)
    except EngineError as refusal:
        if refusal.status != 409:  # another process removes it at this moment
            raise


def _end(engine: Engine, set_id: str, directory: Path) -> bool:
    if not (directory / FILE).exists():
        # Its directory is gone, so no process can hold it; the containers are what is left.
        remove(engine, set_id)
        shutil.rmtree(directory, ignore_errors=True)
        return True
    with alone(directory) as is_alone:
        if is_alone:
            remove(engine, set_id)
            shutil.rmtree(directory)
        return is_alone


def _known(project: Project, engine: Engine) -> dict[str, Path]:
    """Set -> its directory, by the labels at the engine and by the directories here."""
    root = project.state / SETS
    prefix = f"{project.name}-test-"
    directories = [one for one in root.iterdir() if not one.name.startswith(".")] if root.is_dir() else []
    found = {prefix + one.name: one for one in directories}
    filters = {"label": [f"{PROJECT}={project.name}"]}
    labelled = [one["Labels"] for one in engine.get("/containers/json", all=1, filters=filters)]
    labelled += [one["Labels"] for one in engine.get("/networks", filters=filters)]
    for labels in labelled:
        set_id = labels.get(SET, "")
        if set_id.startswith(prefix):
            found.setdefault(set_id, root / set_id.removeprefix(prefix))
    return found
