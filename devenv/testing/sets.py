"""A set: the containers that one run's tests share, started when first needed, side by side, in the order they need."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from devenv.engine import Engine, EngineError
from devenv.errors import DevenvError
from devenv.model import STARTED
from devenv.testing import evidence, images, records
from devenv.testing.addresses import Addresses
from devenv.testing.leases import Lease, alone, exclusive
from devenv.testing.plan import Plan
from devenv.testing.reaper import SETS, remove, sweep
from devenv.testing.records import Record

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from devenv.testing.start import Starter


class ContainerSet:
    """One process's view of a set; every process of a run sees the same containers."""

    def __init__(self, plan: Plan, engine: Engine, run: str, lease: Lease, reuse: bool,
                 baseline_of: Callable[[Record], dict[str, Any]]) -> None:
        self.plan, self.engine, self.run, self.lease, self.reuse = plan, engine, run, lease, reuse
        self.directory = lease.directory
        self.id = f"{plan.project.name}-test-{self.directory.name}"
        # What this process knows to be usable.
        self.known: dict[str, Record] = {}
        self._baseline_of = baseline_of
        self._jobs: dict[str, Future[Record]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._starter: Starter | None = None
        self._local_images: dict[str, str] | None = None
        self._cancelled = False

    def ensure(self, names: Iterable[str], soon: Iterable[str] = ()) -> None:
        """Return once `names`, and all they need, are usable; begin to start `soon` too.

        Raises DevenvError for what cannot be started.
        """
        wanted = self.plan.model.select(names)
        missing = [name for name in wanted if not self._is_known(name)]
        if not missing:
            return
        everything = self.plan.model.select([*missing, *soon])
        self._begin([name for name in everything if name not in self._jobs and not self._is_known(name)])
        for name in wanted:
            if name in self._jobs:
                self.known[name] = self._jobs[name].result()

    def recycle(self, names: Iterable[str]) -> None:
        """Make containers anew, without their data, at the same ports; then what had prepared their data runs again."""
        prepared: set[str] = set()
        for name in names:
            # Whichever worker ran it: those that know it will not run it again.
            ran = {one for one in self._preparing(name) if one in self.known or records.read(self.directory, one)}
            with exclusive(self._lock(name)):
                known, current = self.known[name], records.read(self.directory, name)
                if current is not None and current.identity != known.identity:
                    self.known[name] = current  # another worker has done it
                    continue
                records.drop(self.directory, name)
                self._make(name, (known.wanted, known.image), known.ports)
            prepared |= ran
        for one in prepared:
            self.known.pop(one, None)
            self._jobs.pop(one, None)
        if prepared:
            self.ensure(sorted(prepared))

    def mark(self, name: str) -> None:
        """Take a container's baseline anew: what prepares data has added to it."""
        settled = self.known[name].with_baseline(self._baseline_of(self.known[name]))
        self.known[name] = settled
        records.write(self.directory, settled)

    def refresh(self, name: str) -> None:
        """Take what another worker has made of it."""
        self.known[name] = records.read(self.directory, name) or self.known[name]

    def running(self, name: str) -> Record | None:
        """The record of a container that some worker has started, if it runs."""
        record = records.read(self.directory, name)
        return record if record and self._runs(record) else None

    def operation(self, name: str) -> tuple[str, ...]:
        """The command of its health check; empty where there is none."""
        from devenv.testing.health import operation

        record = self.known.get(name) or records.read(self.directory, name)
        return operation(self.plan.definition(name), (self.engine.image(record.image) if record else None) or {})

    def wait_usable(self, name: str, container: str, ports: Mapping[int, int]) -> None:
        """Wait until a container of this definition is usable; raises DevenvError where it ends instead."""
        from devenv.testing.health import wait_usable

        wait_usable(self.engine, name, container, self.operation(name), ports, self.plan.project.config.timeout_s,
                    lambda: self._cancelled)

    def addresses(self, own: Mapping[str, Mapping[int, int]] | None = None) -> Addresses:
        """Where everything that runs is reached, and besides what is about to run at `own` ports."""
        places = {name: one.ports for name, one in list(self.known.items())} | dict(own or {})
        ports = {(name, inside): port for name, all_ports in places.items() for inside, port in all_ports.items()}
        published = {
            entry.published: ports[name, entry.target]
            for name in places for entry in self.plan.model.services[name].ports if (name, entry.target) in ports
        }
        main = {name: next(iter(one)) for name, one in places.items() if len(one) == 1}
        return Addresses(ports, published, main)

    def starter(self) -> Starter:
        """The cold path. Sees first that the set has a network, and somebody who will remove it."""
        if self._starter is None:
            from devenv.testing import watcher
            from devenv.testing.network import make_network
            from devenv.testing.start import Starter

            watcher.ensure(self.directory)
            project = self.plan.project
            sweep(project, self.engine, own=self.directory, warm=project.state / SETS / f"warm-{self.plan.hash}")
            with exclusive(self._lock("network")):
                make_network(self.engine, project.name, self.id)
            self._starter = Starter(self.plan, self.engine, self.id, self.directory, self.run, lambda: self._cancelled)
        return self._starter

    def images(self, names: Iterable[str]) -> dict[str, tuple[str, str]]:
        """The images of `names` (the wanted one, the used one); found or built once in a run."""
        with exclusive(self._lock("images")):
            return images.find_once(self.plan, self.engine, names, self.run, self.directory / ".images.json")

    def close(self) -> None:
        """Give up this process's share; the last one of a run removes the set, unless it is kept."""
        self._cancelled = True
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        is_last = self.lease.release()
        if is_last and not self.reuse:
            with alone(self.directory, wait=True) as is_alone:
                if is_alone:
                    remove(self.engine, self.id)
                    shutil.rmtree(self.directory, ignore_errors=True)

    def _begin(self, names: list[str]) -> None:
        if not names:
            return
        from concurrent.futures import ThreadPoolExecutor

        self.starter()
        found = self.images(names)
        self._local_images = None
        self._pool = self._pool or ThreadPoolExecutor(max_workers=16, thread_name_prefix="devenv")
        for name in names:
            # In the order of needs, so that what waits never takes the last worker from what it waits for.
            needs = {need: self._jobs[need] for need in self.plan.model.services[name].needs if need in self._jobs}
            self._jobs[name] = self._pool.submit(self._start, name, found[name], needs)

    def _start(self, name: str, image: tuple[str, str], needs: Mapping[str, Future[Record]]) -> Record:
        conditions = self.plan.model.services[name].needs
        for need, job in needs.items():
            try:
                job.result()
            except DevenvError:
                if conditions[need] != STARTED:
                    raise
        with exclusive(self._lock(name)):
            # Another worker, or an earlier run, may have started the very same.
            if found := self._valid(name, is_built=True):
                self.known[name] = found
                return found
            return self._make(name, image)

    def _make(self, name: str, image: tuple[str, str], ports: Mapping[int, int] | None = None) -> Record:
        """Start a container anew, or run a one-shot; its lock is held."""
        self._remove_data(name)
        if self.plan.seed:
            self.plan.seed.fill(self.engine, self.plan.model, self.id, name, image[1])

        def environment(own: Mapping[int, int]) -> dict[str, str]:
            said = self.plan.environment(name)
            # What a backend calls `localhost` is itself; what a service calls so is often what a browser is told.
            is_service = self.plan.model.services[name].is_built
            return self.addresses({name: own}).from_inside(said) if is_service else said

        if name in self.plan.model.one_shots:
            self.known[name] = self.starter().run_once(name, image, environment({}))
            for need in self.known.keys() & self.plan.model.services[name].needs.keys():
                self.mark(need)
        else:
            self.known[name] = self.starter().start(name, image, environment, ports)
            for one in self._preparing(name):
                records.drop(self.directory, one)
        self.mark(name)
        return self.known[name]

    def _is_known(self, name: str) -> bool:
        if name not in self.known and (found := self._valid(name)):
            self.known[name] = found
        return name in self.known

    def _valid(self, name: str, is_built: bool = False) -> Record | None:
        """The record of another process or an earlier run, if its container is there and still what is wanted."""
        record = records.read(self.directory, name)
        if record is None or record.definition != self.plan.hash_of(name):
            return None
        if record.run != self.run:
            # A service's source may have changed since, which only building it tells.
            if self.plan.model.services[name].is_built and not (is_built or images.are_built()):
                return None
            self._local_images = self._local_images or images.local_images(self.engine)
            if not images.is_still(record, self._local_images):
                return None
        if record.identity and not self._runs(record):
            return None
        evidence.note(self.plan.project.name, name, record.image_id)
        return record

    def _runs(self, record: Record) -> bool:
        try:
            state = self.engine.container(record.identity)["State"]
        except EngineError:
            return False
        return bool(state["Running"] and not state["Paused"])

    def _preparing(self, name: str) -> list[str]:
        """The one-shots that work on this backend."""
        model = self.plan.model
        return [one for one in sorted(model.one_shots) if name in model.services[one].needs]

    def _remove_data(self, name: str) -> None:
        """The container of before, and its volumes but for those that another one mounts too."""
        self.engine.delete(f"/containers/{self.id}-{name}", force=1, v=1)
        services = self.plan.model.services
        shared = {key for other, one in services.items() if other != name for key in one.volumes}
        for key in set(services[name].volumes) - shared:
            self.engine.delete(f"/volumes/{self.id}-{key}")

    def _lock(self, name: str) -> Any:
        return self.directory / f"{name}.lock"
