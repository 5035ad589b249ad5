"""Lay live reload over a project that has no `compose/reload.yml`.

Where the source lies in the image is read from Compose's `develop.watch` (`action: sync`), or else from the
`COPY` lines of the Dockerfile's last stage. It is mounted read-only beside the image's own copy, and the
reloader puts it first on the import path: nothing that the image made there, such as a `.venv`, is hidden.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from devenv.engine import Engine
from devenv.images.bake import image_name
from devenv.images.dockerfile import Instruction, last_stage
from devenv.model import Model, Service
from devenv.project import Project

RELOADER = "/opt/devenv/reload"
SOURCES = "/opt/devenv/source"


@dataclass(frozen=True)
class Source:
    """A directory of the project and where its content is imported from in the image."""

    directory: Path
    below: PurePosixPath  # relative to the image's working directory


def reload_overlay(project: Project, model: Model, names: Sequence[str], engine: Engine,
                   reloader: str) -> tuple[dict[str, Any], list[str]]:
    """The Compose override that reloads what can be reloaded, and a note for each service that cannot."""
    services: dict[str, Any] = {}
    notes = []
    for name in names:
        service = model.services[name]
        wish = str(service.extension.get("reload", ""))
        if not service.is_built or wish == "none" or name in model.one_shots or service.is_seed:
            continue
        image = (engine.image(image_name(project, service)) or {}).get("Config") or {}
        argv = effective_argv(service, image)
        kind = wish or ("asgi" if is_uvicorn(argv) else "")
        if not kind:
            notes.append(f"`{name}` is not reloaded: its command is not uvicorn's (x-devenv: {{reload: process}})")
            continue
        sources = find_sources(service, image.get("WorkingDir") or "/")
        if not sources:
            notes.append(f"`{name}` is not reloaded: no COPY line or `develop.watch` sync says where its source is")
            continue
        services[name] = _override(argv, kind, sources, reloader)
    return {"services": services} if services else {}, notes


def effective_argv(service: Service, image: Mapping[str, Any]) -> list[str]:
    """What the container runs: the Compose file's words, or the image's where it has none."""
    entrypoint, command = service.definition.get("entrypoint"), service.definition.get("command")
    if entrypoint is not None:
        return [*_words(entrypoint), *_words(command)]
    return [*_words(image.get("Entrypoint")), *_words(command if command is not None else image.get("Cmd"))]


def is_uvicorn(argv: Sequence[str]) -> bool:
    """Whether the command is uvicorn's: `uvicorn ...` or `python -m uvicorn ...`."""
    program = PurePosixPath(argv[0]).name if argv else ""
    return program == "uvicorn" or (program.startswith("python") and list(argv[1:3]) == ["-m", "uvicorn"])


def find_sources(service: Service, working_directory: str) -> list[Source]:
    """Where the service's own code comes from, the last one copied first."""
    build = service.definition["build"]
    watched = (service.definition.get("develop") or {}).get("watch") or []
    synced = [
        (Path(entry["path"]), PurePosixPath(entry["target"]))
        for entry in watched if entry.get("action", "").startswith("sync") and entry.get("target")
    ]
    context = Path(build["context"])
    if not synced:
        dockerfile = context / build.get("dockerfile", "Dockerfile")
        synced = _copied(last_stage(dockerfile.read_text(), build.get("target")), context)
    work = PurePosixPath(working_directory)
    found: list[Source] = []
    for path, target in synced:
        # One file stands for its directory: a mount of the file itself would not follow an editor's rename.
        directory, place = (path, target) if path.is_dir() else (path.parent, target)
        if directory.is_dir() and place.is_relative_to(work):
            source = Source(directory.resolve(), place.relative_to(work))
            if source not in found:
                found.insert(0, source)
    return found


def _copied(stage: Sequence[Instruction], context: Path) -> list[tuple[Path, PurePosixPath]]:
    """(host path, directory in the image) for each COPY of Python source in a stage."""
    work = PurePosixPath("/")
    found = []
    for one in stage:
        if one.keyword == "WORKDIR":
            work /= one.rest.strip().strip("\"'")
        if one.keyword not in ("COPY", "ADD"):
            continue
        words = [word for word in shlex.split(one.rest.strip("[]").replace(",", " ")) if not word.startswith("--")]
        if "--from" in one.rest or len(words) < 2:
            continue
        target = work / words[-1]
        for pattern in words[:-1]:
            for path in context.glob(pattern.lstrip("/")) if pattern not in (".", "./") else [context]:
                if path.is_dir():
                    found.append((path, target))
                elif path.suffix == ".py":
                    # `COPY app.py ./` and `COPY app.py ./app.py` both put it into this directory.
                    found.append((path, target.parent if target.suffix == ".py" else target))
    return found


def _override(argv: Sequence[str], kind: str, sources: Sequence[Source], reloader: str) -> dict[str, Any]:
    roots = [f"{SOURCES}/{number}" for number in range(len(sources))]
    mounts = [
        (str(source.directory), str(PurePosixPath(root) / source.below))
        for root, source in zip(roots, sources, strict=True)
    ]
    program = PurePosixPath(argv[0])
    # A program named by its whole path belongs to the Python beside it.
    python = str(program.parent / "python") if program.is_absolute() and program.name == "uvicorn" else "python"
    flags = [word for root in roots for word in ("--source", root)]
    return {
        "entrypoint": [python, RELOADER, "--kind", kind, *flags, "--"],
        "command": list(argv),
        "volumes": [
            {"type": "bind", "source": path, "target": target, "read_only": True}
            for path, target in ((reloader, RELOADER), *mounts)
        ],
    }


def _words(value: Any) -> list[str]:
    if value is None:
        return []
    return shlex.split(value) if isinstance(value, str) else [str(word) for word in value]
