"""The data of backends as a snapshot copies it: where it lies, and how it goes in and out."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from devenv.engine import Engine, Sink
from devenv.errors import DevenvError
from devenv.model import Model
from devenv.project import Project

LABEL = "devenv.snapshot"  # on the containers that we read and write through; its value is the project's name
RESTORING = Path("snapshots", ".restoring")


@dataclass(frozen=True)
class Holding:
    """One directory of data that a backend keeps."""

    backend: str
    image: str  # as the project's files name it
    path: str  # where the backend sees it: the same in every runtime
    place: str  # where this runtime keeps it: a volume, or a directory of the cluster's node
    user: str = ""  # `uid` or `uid:gid` of the backend here; otherwise files belong to whom they did


def holdings_of(model: Model, volume: Callable[[str], str]) -> list[Holding]:
    """One for each named volume that a backend of the Compose files mounts; `volume`: its key there -> its name."""
    return [
        Holding(name, str(definition["image"]), str(mount["target"]), volume(str(mount["source"])),
                str(definition.get("user", "")))
        for name in model.backends for definition in [model.services[name].definition]
        for mount in definition.get("volumes") or []
        if mount.get("type") == "volume" and mount.get("source")
    ]


def refuse_half_restored(project: Project) -> None:
    """Raise DevenvError while the data is partly a snapshot's and partly what was there before."""
    try:
        name = (project.state / RESTORING).read_text().strip()
    except FileNotFoundError:
        return
    raise DevenvError(f"the restoring of the snapshot `{name}` was cut off: the backends' data is a mixture",
                      f"devenv snapshot restore {name}")


def settle(project: Project) -> None:
    """The data is whole again: restored, or deleted."""
    (project.state / RESTORING).unlink(missing_ok=True)


@contextmanager
def container(engine: Engine, labels: Mapping[str, str], image: str, words: Sequence[str] = (),
              **host: Any) -> Iterator[str]:
    """A container of our own; without `words` it is never started, and the engine reads and writes its volumes."""
    body = {"Image": image, "User": "0:0", "Entrypoint": list(words) or ["-"], "Labels": dict(labels),
            "HostConfig": {"NetworkMode": "none", **host}}
    made = engine.post("/containers/create", body)
    try:
        yield str(made["Id"])
    finally:
        engine.delete(f"/containers/{made['Id']}", force=1, v=1)


def clear_containers(engine: Engine, project: str) -> None:
    """Remove the containers that a killed run has left."""
    for one in engine.get("/containers/json", all=1, filters={"label": [f"{LABEL}={project}"]}):
        engine.delete(f"/containers/{one['Id']}", force=1, v=1)


def pack_volume(engine: Engine, project: str, holding: Holding, image: str, sink: Sink) -> None:
    """Write what is in a volume to `sink`."""
    with container(engine, {LABEL: project}, image, Mounts=[_mount(holding)]) as identity:
        engine.pack(identity, holding.path, sink)


def fill_volume(engine: Engine, labels: Mapping[str, str], holding: Holding, image: str, archive: Path) -> None:
    """Unpack an archive into an empty volume.

    It is mounted where the backend has it, so that the engine gives the directory itself the image's owner and mode.
    """
    user = holding.user or str(((engine.image(image) or {}).get("Config") or {}).get("User", ""))
    with (container(engine, labels, image, Mounts=[_mount(holding)]) as identity,
          owned(archive, user) as fitting):
        engine.unpack(identity, holding.path, fitting)


@contextmanager
def owned(archive: Path, user: str) -> Iterator[Path]:
    """The archive with its files owned by `user`, a number or two: the same image may run as another one elsewhere."""
    numbers = user.split(":")
    if not all(one.isdigit() for one in numbers):
        yield archive
        return
    uid, gid = int(numbers[0]), int(numbers[-1])
    with tarfile.open(archive) as source:
        if all((one.uid, one.gid) == (uid, gid) for one in source):
            yield archive
            return
    with NamedTemporaryFile(dir=archive.parent, prefix=".", suffix=".tar") as file:
        with tarfile.open(archive) as source, tarfile.open(fileobj=file, mode="w") as target:
            for one in source:
                one.uid, one.gid, one.uname, one.gname = uid, gid, "", ""
                target.addfile(one, source.extractfile(one) if one.isreg() else None)
        file.flush()
        yield Path(file.name)


def _mount(holding: Holding) -> dict[str, str]:
    return {"Type": "volume", "Source": holding.place, "Target": holding.path}
