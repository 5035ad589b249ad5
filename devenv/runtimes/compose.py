"""The platform on Docker Compose: the verbs on what was started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devenv.engine import SERVICE_LABEL, Engine
from devenv.errors import DevenvError, UsageError, nearest
from devenv.project import Project
from devenv.runtimes import record, runtime
from devenv.runtimes.containers import Container, observe, summary
from devenv.runtimes.holdings import settle
from devenv.runtimes.request import was_as_built
from devenv.runtimes.runtime import DataCopier, Instance, ServiceStatus

if TYPE_CHECKING:
    from devenv.model import Model
    from devenv.shell import Runner


@dataclass(frozen=True)
class ComposeRuntime:
    """The verbs, by the engine and by the project's name: a broken Compose file is in nobody's way.

    What reads the files is imported where it is used: `status` and `logs` start faster without.
    """

    project: Project
    runner: Runner
    name: str = runtime.COMPOSE

    def status(self) -> list[ServiceStatus]:
        """What runs, and what the last `up` knew of besides."""
        seen = observe(Engine(), self.project.name)
        known = record.load(self.project)
        return [
            ServiceStatus(
                name, summary(containers),
                tuple(f"http://localhost:{published}" for one in containers for published, _ in one.ports),
                tuple(Instance(one.name, one.identity, one.status) for one in containers),
            )
            for name in sorted({*seen, *(known.containers if known else ())})
            for containers in [seen.get(name, [])]
        ]

    def mode(self) -> str:
        """`live reload` or `as built`."""
        known = record.load(self.project)
        return "as built" if known and was_as_built(known.request) else "live reload"

    def logs(self, names: Sequence[str], *, follow: bool, since: str | None, tail: int | None,
             timestamps: bool) -> int:
        """Through `docker compose logs`."""
        self._existing(names)
        flags = ["--follow"] if follow else []
        flags += ["--since", since] if since else []
        flags += ["--tail", str(tail)] if tail is not None else []
        flags += ["--timestamps"] if timestamps else []
        return self.runner.call(*self._argv("logs", *flags, *names))

    def execute(self, service: str, words: Sequence[str], terminal: bool) -> int:
        """Through `docker compose exec`."""
        containers = self._existing([service])[service]
        if not any(one.state == "running" for one in containers):
            raise DevenvError(f"`{service}` does not run: {containers[0].status}", f"devenv up {service}")
        return self.runner.call(*self._argv("exec", *([] if terminal else ["-T"]), service, *words))

    def restart(self, names: Sequence[str]) -> None:
        """Restart the long-running containers of `names` and wait until they are usable."""
        from concurrent.futures import ThreadPoolExecutor

        from devenv import output
        from devenv.runtimes.start import start_and_wait

        engine = Engine()
        seen = self._existing(names)
        model = self._model()
        wanted = [name for name in (names or seen) if name in model.services and name not in model.one_shots]
        containers = [one for name in wanted for one in seen[name]]
        with output.step(f"Restart {', '.join(wanted)}"), ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda one: engine.post(f"/containers/{one.identity}/restart", None, 120), containers))
        with output.step("Wait until everything is usable"):
            order = [name for name in model.select(wanted) if name in wanted]
            start_and_wait(engine, self.project.name, model, order, self.project.config.timeout_s)

    def data(self, backends: Sequence[str]) -> list[str]:
        """Names of the data volumes of `backends`; raises UsageError for one without data."""
        model = self._model()
        return sorted(str(model.data["volumes"][key]["name"]) for key in _volume_keys(model, backends))

    def reset(self, backends: Sequence[str]) -> None:
        """Delete the data volumes. One-shots are removed too, so that the next `up` prepares the new data."""
        engine = Engine()
        model = self._model()
        keys = _volume_keys(model, backends)
        record.forget(self.project)
        users = {name for name, one in model.services.items() if keys & set(one.volumes)} | model.one_shots
        for one in engine.containers(self.project.name):
            if one["Labels"].get(SERVICE_LABEL) in users:
                engine.delete(f"/containers/{one['Id']}", force=1)
        for key in keys:
            engine.delete(f"/volumes/{model.data['volumes'][key]['name']}")
        if not backends:
            settle(self.project)

    def data_copier(self) -> DataCopier:
        """Named volumes, through the engine."""
        from devenv.runtimes.compose_data import ComposeData

        return ComposeData(self.project, self.runner, Engine(timeout_s=120))

    def seed(self) -> str:
        """Run the project's seed services."""
        from devenv.runtimes.opening import opened
        from devenv.runtimes.seeding import seed

        compose = opened(self.project, self.runner)
        return seed(compose, compose.model())

    def down(self) -> None:
        """Remove the containers and networks of this checkout; volumes stay."""
        record.forget(self.project)
        Engine().ping()
        self.runner.log(*self._argv("down", "--remove-orphans"), log=self.project.state / "logs" / "down.log",
                        cwd=self.project.state)

    def _model(self) -> Model:
        from devenv.runtimes.opening import opened

        return opened(self.project, self.runner).model()

    def _argv(self, *words: str) -> tuple[str, ...]:
        return ("docker", "compose", "-p", self.project.name, *words)

    def _existing(self, names: Sequence[str]) -> dict[str, list[Container]]:
        """The containers by service; raises for a name that has none, or for nothing at all."""
        seen = observe(Engine(), self.project.name)
        if not seen:
            raise DevenvError(f"nothing of `{self.project.name}` exists", "devenv up")
        for name in names:
            if name not in seen:
                raise UsageError(f"no service or backend named `{name}` exists",
                                 nearest(name, seen) or f"there are: {', '.join(sorted(seen))}")
        return seen


def _volume_keys(model: Model, backends: Sequence[str]) -> set[str]:
    model.require(backends)
    chosen = tuple(backends) or tuple(name for name in model.backends if model.services[name].volumes)
    for name in chosen:
        if not model.services[name].volumes:
            raise UsageError(f"`{name}` keeps no data in a named volume", f"backends: {', '.join(model.backends)}")
    return {key for name in chosen for key in model.services[name].volumes}
