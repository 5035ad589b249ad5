"""What every runtime can do with a platform that was started, whichever way it runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from devenv.engine import Sink
from devenv.project import Project, write_whole
from devenv.runtimes.holdings import Holding
from devenv.shell import Runner

COMPOSE, KIND = "compose", "kind"
FILE = "runtime"


@dataclass(frozen=True)
class Instance:
    """One container or pod of a service."""

    name: str
    id: str
    status: str  # the engine's or the cluster's own sentence, for people


@dataclass(frozen=True)
class ServiceStatus:
    """Where one service or backend stands."""

    service: str
    condition: str  # usable, starting, stopped, unhealthy, done, failed or absent
    urls: tuple[str, ...]
    instances: tuple[Instance, ...]


class DataCopier(Protocol):
    """Where the data of the backends lies, and how it is read and replaced."""

    def holdings(self) -> list[Holding]:
        """One for each directory of data."""

    def still(self) -> AbstractContextManager[None]:
        """Nothing runs inside the block; what ran runs again after it."""

    def pack(self, holding: Holding, sink: Sink) -> None:
        """Write what is there to `sink`, as a tar archive; inside `still`."""

    def replace(self, holding: Holding, archive: Path) -> None:
        """Put what the archive has in its place; after `down`."""


class Runtime(Protocol):
    """The verbs behind `status`, `logs`, `exec`, `restart`, `reset`, `seed` and `down`."""

    @property
    def name(self) -> str:
        """`compose` or `kind`."""

    def status(self) -> list[ServiceStatus]:
        """Every service and backend, in the order of their names."""

    def mode(self) -> str:
        """`live reload` or `as built`."""

    def logs(self, names: Sequence[str], *, follow: bool, since: str | None, tail: int | None,
             timestamps: bool) -> int:
        """Write logs to standard output; returns an exit code."""

    def execute(self, service: str, words: Sequence[str], terminal: bool) -> int:
        """Run a command in a running service; returns its exit code."""

    def restart(self, names: Sequence[str]) -> None:
        """Restart services (default: all) and wait until they are usable."""

    def data(self, backends: Sequence[str]) -> list[str]:
        """Names of the volumes that `reset` would delete."""

    def reset(self, backends: Sequence[str]) -> None:
        """Delete the data of backends (default: all of them)."""

    def data_copier(self) -> DataCopier:
        """What reads and replaces the data of the backends, for snapshots."""

    def seed(self) -> str:
        """Load the demo data; returns what the loading printed."""

    def down(self) -> None:
        """Stop the platform; data stays."""


def remember(project: Project, name: str) -> None:
    """Note which runtime the last `up` used; the other verbs follow it."""
    project.state.mkdir(exist_ok=True)
    write_whole(project.state / FILE, name + "\n")


def chosen(project: Project) -> str:
    """The runtime that the last `up` used."""
    try:
        return (project.state / FILE).read_text().strip() or COMPOSE
    except OSError:
        return COMPOSE


def choose(project: Project) -> Runtime:
    """The runtime that the last `up` used."""
    if chosen(project) == KIND:
        from devenv.runtimes.kind.runtime import KindRuntime

        return KindRuntime(project, Runner())
    from devenv.runtimes.compose import ComposeRuntime

    return ComposeRuntime(project, Runner())
