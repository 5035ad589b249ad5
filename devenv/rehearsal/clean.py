"""The end of a rehearsal: everything that it made goes, whatever state it is in."""

from __future__ import annotations

import shutil

from devenv.doctor.programs import use_folder
from devenv.errors import DevenvError
from devenv.images.resolve import MISSING, look
from devenv.rehearsal.context import Rehearsal
from devenv.runtimes.kind.images import node_image


def is_left(rehearsal: Rehearsal) -> bool:
    """Whether a rehearsal of this checkout was kept or cut off; raises DevenvError for a cluster that is not ours."""
    node = rehearsal.cluster.own_container(rehearsal.engine)
    return node is not None or rehearsal.registry.exists() or (rehearsal.copy.root / "k8s").exists()


def remove(rehearsal: Rehearsal) -> None:
    """Remove cluster, registry with its images' names, mocked AWS and the copy; raises DevenvError for what stays."""
    use_folder()
    problems = []
    for part in (_cluster, _registry, _mock):
        try:
            part(rehearsal)
        except DevenvError as problem:
            problems.append(problem.message)
    if problems:
        raise DevenvError("the rehearsal could not be removed whole:\n" + "\n".join(f"  - {one}" for one in problems),
                          "mend the cause, then: devenv down --rehearsal")
    shutil.rmtree(rehearsal.copy.root, ignore_errors=True)


def _cluster(rehearsal: Rehearsal) -> None:
    node = look(node_image(rehearsal.project), rehearsal.engine)
    if node.source != MISSING:
        rehearsal.cluster.end_creation(node.reference)
    if rehearsal.cluster.container(rehearsal.engine) is not None:
        rehearsal.cluster.delete()


def _registry(rehearsal: Rehearsal) -> None:
    rehearsal.registry.delete()


def _mock(rehearsal: Rehearsal) -> None:
    rehearsal.mock.delete()
