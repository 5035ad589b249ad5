"""Start containers in the order of `depends_on`, driven by the engine's events instead of a timer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

from devenv import output
from devenv.engine import PROJECT_LABEL, Engine
from devenv.errors import DevenvError
from devenv.model import COMPLETED, STARTED, Model, Service
from devenv.runtimes.containers import DONE, FAILED, STOPPED, UNHEALTHY, USABLE, Container, observe, summary
from devenv.runtimes.diagnose import explain
from devenv.runtimes.listening import PATIENCE_S, never_open

# A service may crash while it waits for another; this many restarts are a loop.
MAX_RESTARTS = 3
_TELLING = ("start", "die", "oom", "destroy", "health_status")


def start_and_wait(
    engine: Engine, project: str, model: Model, names: Sequence[str], timeout_s: float,
    report: Callable[[str], None] = lambda name: None,
) -> None:
    """Start `names` as what they need becomes usable; return when all are, raise DevenvError otherwise.

    A one-shot that ended with 0 is done. `report` is called with each service that became usable.
    """
    deadline = monotonic() + timeout_s
    events = engine.events({"type": ["container"], "label": [f"{PROJECT_LABEL}={project}"]}, deadline)
    platform = _Platform(engine, project, model, names)
    with ThreadPoolExecutor(max_workers=8) as pool:
        for event in events:
            # The first item and every idle second look at everything: an event may have been missed.
            if event is None or event["Action"].split(":")[0] in _TELLING:
                platform.look()
                for name in platform.newly_ready():
                    report(name)
                if platform.all_ready():
                    platform.listen(min(deadline, monotonic() + PATIENCE_S))
                    platform.look()
                if platform.all_ready():
                    return
                platform.start_what_can(pool)
                if problem := platform.hopeless():
                    raise explain(engine, project, model, names, problem)
    raise explain(engine, project, model, names, f"not usable after {timeout_s:.0f} s")


class _Platform:
    """What was seen last, and which starts are under way."""

    def __init__(self, engine: Engine, project: str, model: Model, names: Sequence[str]) -> None:
        self.engine, self.project, self.model, self.names = engine, project, model, names
        self.seen: dict[str, list[Container]] = {}
        self.reported: set[str] = set()
        self.starting: dict[str, Future[object]] = {}
        self.started: set[str] = set()
        # Containers whose start had returned before the last look: only of these is a bad state news.
        self.settled: set[str] = set()

    def look(self) -> None:
        self.settled = {identity for identity, future in self.starting.items() if future.done()}
        self.seen = observe(self.engine, self.project)

    def ready(self, name: str) -> bool:
        """Whether a service is as it should be in the end."""
        service = self.model.services[name]
        found = summary(self.seen.get(name, []))
        if name in self.model.one_shots:
            return found == DONE
        # A service without restarts that ended with 0 has done its work, even if no other waits for it.
        return found == USABLE or (found == DONE and service.definition.get("restart") in (None, "no"))

    def all_ready(self) -> bool:
        return all(self.ready(name) for name in self.names)

    def newly_ready(self) -> list[str]:
        fresh = [name for name in self.names if name not in self.reported and self.ready(name)]
        self.reported.update(fresh)
        return fresh

    def listen(self, deadline: float) -> None:
        """Wait for those that have no health check to listen; says which do not."""
        listeners = [one for name in self.names if name not in self.model.one_shots for one in self.seen[name]]
        for name, port in never_open(listeners, deadline):
            output.warn(f"`{name}` runs, but nobody listens on its port {port} yet (it has no health check)")

    def start_what_can(self, pool: ThreadPoolExecutor) -> None:
        """Start every stopped container whose service has all it waits for."""
        for name in self.names:
            if self.ready(name) or not self._may_start(self.model.services[name]):
                continue
            for one in self.seen.get(name, []):
                if one.state in ("created", "exited") and one.identity not in self.starting:
                    if name in self.started and name in self.model.one_shots:
                        continue  # it ran once and failed: `hopeless` tells
                    self.started.add(name)
                    self.starting[one.identity] = pool.submit(
                        self.engine.post, f"/containers/{one.identity}/start", None, 60
                    )

    def _may_start(self, service: Service) -> bool:
        return all(
            need not in self.names or self._meets(need, wanted) for need, wanted in service.needs.items()
        )

    def _meets(self, name: str, wanted: str) -> bool:
        if wanted == COMPLETED:
            return summary(self.seen.get(name, [])) == DONE
        if wanted == STARTED:
            containers = self.seen.get(name, [])
            return bool(containers) and all(one.state in ("running", "exited") for one in containers)
        return self.ready(name)

    def hopeless(self) -> str | None:
        """Why waiting longer is useless, or None."""
        for future in self.starting.values():
            if future.done() and (problem := future.exception()):
                if isinstance(problem, DevenvError):
                    return problem.message
                raise problem
        for name in self.names:
            service = self.model.services[name]
            containers = self.seen.get(name, [])
            found = summary(containers)
            if not containers:
                return f"`{name}` has no container"
            if found == UNHEALTHY:
                return f"`{name}` is unhealthy"
            ended = [one for one in containers if one.state == "exited" and one.identity in self.settled]
            stays_down = name in self.model.one_shots or service.definition.get("restart") in (None, "no")
            if found in (FAILED, STOPPED) and ended and stays_down:
                return f"`{name}` ended with exit code {ended[0].exit_code}"
            if any(one.state == "restarting" for one in containers) and self._restarts(containers) >= MAX_RESTARTS:
                return f"`{name}` keeps crashing"
        return None

    def _restarts(self, containers: list[Container]) -> int:
        return max(int(self.engine.container(one.identity)["RestartCount"]) for one in containers)
