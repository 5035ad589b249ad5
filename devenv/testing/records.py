"""What runs in a set, one small file for each container, so that all processes of a run know the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from devenv.project import write_whole


@dataclass(frozen=True)
class Record:
    """One container as it was when it became usable, or a one-shot that has ended well."""

    name: str
    container: str  # its name at the engine; stays the same when it is made anew
    identity: str  # its id; empty for a one-shot, whose container is gone
    definition: str  # hash
    wanted: str  # the image that the definition names
    image: str  # the one that was used
    image_id: str
    ports: Mapping[int, int]  # container port -> port on 127.0.0.1
    run: str  # the run that made it
    baseline: Mapping[str, Any] = field(default_factory=dict)  # what must not get lost; see `handles.Backend.mark`

    def with_baseline(self, baseline: Mapping[str, Any]) -> Record:
        """The same with another baseline."""
        return replace(self, baseline=baseline)


def read(directory: Path, name: str) -> Record | None:
    """The record of this service, or None."""
    try:
        data = json.loads(_path(directory, name).read_text())
        return Record(**{**data, "ports": {int(key): value for key, value in data["ports"].items()}})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(directory: Path, record: Record) -> None:
    """Put it down, readable by its owner alone."""
    write_whole(_path(directory, record.name), json.dumps(asdict(record)), mode=0o600)


def drop(directory: Path, name: str) -> None:
    """Forget it."""
    _path(directory, name).unlink(missing_ok=True)


def _path(directory: Path, name: str) -> Path:
    return directory / f"{name}.json"
