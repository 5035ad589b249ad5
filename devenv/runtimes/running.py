"""Commands on services that run: they need the engine and names, not the Compose files."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches

from devenv import output
from devenv.engine import Engine
from devenv.errors import DevenvError, UsageError
from devenv.project import Project
from devenv.runtimes.containers import Container, observe


def compose_argv(project: Project) -> tuple[str, ...]:
    """Compose by the project's name alone, so that a broken file is in nobody's way."""
    return ("docker", "compose", "-p", project.name)


def require_existing(project: Project, names: Sequence[str]) -> dict[str, list[Container]]:
    """The containers by service; raises for a name that has none, or for nothing at all."""
    seen = observe(Engine(), project.name)
    if not seen:
        raise DevenvError(f"nothing of `{project.name}` exists", "devenv up")
    for name in names:
        if name not in seen:
            near = get_close_matches(name, seen, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(sorted(seen))}"
            raise UsageError(f"no service or backend named `{name}` exists", hint)
    return seen


def require_running(project: Project, name: str) -> None:
    """Raise unless a container of the service runs."""
    containers = require_existing(project, [name])[name]
    if not any(one.state == "running" for one in containers):
        raise DevenvError(f"`{name}` does not run: {containers[0].status}", f"devenv up {name}")


def restart(project: Project, names: Sequence[str]) -> None:
    """Restart the long-running containers of `names` (default: all) and wait until they are usable."""
    from devenv.runtimes.compose import opened
    from devenv.runtimes.start import start_and_wait
    from devenv.shell import Runner

    engine = Engine()
    seen = require_existing(project, names)
    model = opened(project, Runner()).model()
    chosen = [name for name in (names or seen) if name in model.services and name not in model.one_shots]
    containers = [one for name in chosen for one in seen[name]]
    with output.step(f"Restart {', '.join(chosen)}"), ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(lambda one: engine.post(f"/containers/{one.identity}/restart", None, 120), containers))
    with output.step("Wait until everything is usable"):
        order = [name for name in model.select(chosen) if name in chosen]
        start_and_wait(engine, project.name, model, order, project.config.timeout_s)
