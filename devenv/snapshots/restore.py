"""Restore a snapshot: everything is checked before anything changes; a kill in between is told by the next `up`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from devenv import output
from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.project import Project, write_whole
from devenv.runtimes.holdings import RESTORING, Holding, clear_containers, settle
from devenv.runtimes.runtime import Runtime
from devenv.snapshots import store
from devenv.snapshots.manifest import Part, Snapshot, product, secret_hashes, verify


def restore(project: Project, runtime: Runtime, name: str) -> Snapshot:
    """Stop the platform and put the snapshot's data in the place of all backends' data."""
    snapshot = store.find(project, name)
    folder = store.folder(project, name)
    engine = Engine()
    copier = runtime.data_copier()
    with output.step("Check the snapshot"):
        archives = {one: verify(folder, one) for one in snapshot.parts}
        holdings = check(project, snapshot, copier.holdings(), engine)
    with output.step("Stop the platform"):
        runtime.down()
    clear_containers(engine, project.name)
    # From here on the data is a mixture. Not before: an `up` that finds all running as it was asks for no more.
    write_whole(project.state / RESTORING, name + "\n")
    for part, holding in holdings.items():
        with output.step(f"Restore the data of {part.backend}"):
            copier.replace(holding, archives[part])
    settle(project)
    return snapshot


def check(project: Project, snapshot: Snapshot, holdings: Iterable[Holding], engine: Engine) -> Mapping[Part, Holding]:
    """Which part goes where; raises DevenvError unless the backends are those that the snapshot was made from."""
    places = {(one.backend, one.path): one for one in holdings}
    parts = {(one.backend, one.path): one for one in snapshot.parts}
    if places.keys() != parts.keys():
        only = ", ".join(f"{backend} ({path})" for backend, path in sorted(places.keys() ^ parts.keys()))
        raise _refusal(snapshot, f"only one of the two has data of {only}")
    for key, holding in places.items():
        found = product(holding.image, engine)
        if found != parts[key].product:
            raise _refusal(snapshot, f"`{holding.backend}` is {found} now and was {parts[key].product}")
    ours = secret_hashes(project)
    if changed := [name for name, known in snapshot.secrets.items() if ours.get(name, known) != known]:
        raise DevenvError(f"the snapshot `{snapshot.name}` was made with other values of {', '.join(changed)}",
                          "nothing was changed; put the `.devenv/secrets.env` of its checkout here, or save it again")
    return {part: places[key] for key, part in parts.items()}


def _refusal(snapshot: Snapshot, why: str) -> DevenvError:
    return DevenvError(f"the snapshot `{snapshot.name}` does not fit this project: {why}",
                       "nothing was changed; use the images of before, or save a snapshot of the data as it is now")
