"""Save a snapshot: everything stops, the data is copied, everything goes on."""

from __future__ import annotations

import gzip
import shutil
from datetime import UTC, datetime
from pathlib import Path

from devenv import output
from devenv.engine import Engine
from devenv.errors import UsageError
from devenv.project import Project, write_whole
from devenv.runtimes.holdings import Holding, clear_containers, refuse_half_restored
from devenv.runtimes.runtime import DataCopier, Runtime
from devenv.snapshots import store
from devenv.snapshots.manifest import FILE, Part, Snapshot, digest, product, secret_hashes


def save(project: Project, runtime: Runtime, name: str) -> Snapshot:
    """Copy the data of all backends; the snapshot appears under its name once it is whole, and on the disk."""
    target = store.folder(project, name)
    if target.exists():
        raise UsageError(f"a snapshot `{name}` is there already", f"devenv snapshot delete {name}, or another name")
    refuse_half_restored(project)
    store.clear(project)
    clear_containers(Engine(), project.name)
    copier = runtime.data_copier()
    holdings = copier.holdings()
    if not holdings:
        raise UsageError("no backend of this project keeps data in a named volume")
    folder = target.with_name(f".saving-{name}")
    folder.mkdir(parents=True, mode=0o700)
    try:
        with copier.still(), output.step(f"Copy the data of {', '.join(sorted({one.backend for one in holdings}))}"):
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            parts = tuple(_part(copier, one, number, folder) for number, one in enumerate(holdings, 1))
        snapshot = Snapshot(name, made_at, project.title, runtime.name, secret_hashes(project), parts)
        write_whole(folder / FILE, snapshot.to_json())
        store.sync(folder)
        folder.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    store.sync(target.parent)
    return snapshot


def _part(copier: DataCopier, holding: Holding, number: int, folder: Path) -> Part:
    path = folder / f"{number}-{holding.backend}.tar.gz"
    # Fast rather than small: the platform stands still meanwhile.
    with path.open("wb") as file, gzip.GzipFile("", "wb", 1, file) as packed:
        copier.pack(holding, packed)
    store.sync(path)
    return Part(holding.backend, holding.image, product(holding.image, Engine()), holding.path, path.name,
                digest(path), path.stat().st_size)
