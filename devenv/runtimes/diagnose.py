"""Why is it not up? The first blocked service, the class of the cause, the evidence, the next command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from devenv.engine import Engine
from devenv.errors import DevenvError
from devenv.model import Model
from devenv.runtimes.containers import DONE, USABLE, Container, observe, summary


@dataclass(frozen=True)
class Blocked:
    """The first service that is not as it should be."""

    service: str
    cause: str  # unhealthy, crash-loop, exit, oom, image, port, disk, dependency, starting, absent
    evidence: str
    next: str


def explain(engine: Engine, project: str, model: Model, names: Sequence[str], problem: str) -> DevenvError:
    """The error for a platform that did not come up; its `details` say the same for programs."""
    blocked = find_blocked(engine, project, model, names, problem)
    if blocked is None:
        return DevenvError(problem, "run `devenv status`")
    waiting = [n for n in names if blocked.service in _all_needs(model, n)]
    also = f"; waiting for it: {', '.join(waiting)}" if waiting else ""
    message = f"{problem}\n  blocked: {blocked.service} ({blocked.cause}){also}"
    if blocked.evidence:
        message += f"\n  evidence: {blocked.evidence}"
    return DevenvError(message, f"next: {blocked.next}", {"problem": problem, **asdict(blocked), "waiting": waiting})


def find_blocked(
    engine: Engine, project: str, model: Model, names: Sequence[str], problem: str = ""
) -> Blocked | None:
    """The first service, in the order of starting, that is neither usable nor well ended."""
    seen = observe(engine, project)
    for name in names:
        containers = seen.get(name, [])
        if summary(containers) in (USABLE, DONE):
            continue
        if not containers:
            return Blocked(name, "absent", "", f"devenv up {name}")
        details = engine.container(containers[0].identity)
        return _classify(engine, containers[0], details, problem)
    return None


def _classify(engine: Engine, container: Container, details: dict[str, Any], problem: str) -> Blocked:
    name, state = container.service, details["State"]
    logs = f"devenv logs {name}"
    last = next((line.strip() for line in reversed(engine.logs(container.identity)) if line.strip()), "")
    refused = state.get("Error") or ""
    evidence = refused or last
    said = f"{refused} {problem} {last}".lower()
    if state.get("OOMKilled"):
        limit = details["HostConfig"].get("Memory") or 0
        return Blocked(name, "oom", f"killed at its memory limit of {limit // 2**20} MiB; last words: {last}",
                       f"raise `deploy.resources.limits.memory` of `{name}`, then `devenv up {name}`")
    # The engine has no code for these; its own sentences and the kernel's are all there is.
    if "address already in use" in said or "port is already allocated" in said:
        return Blocked(name, "port", evidence or problem, "devenv up --port-offset 100")
    if "no space left on device" in said:
        return Blocked(name, "disk", evidence, "free space on the engine's disk (`docker system df`), then `devenv up`")
    if refused and ("executable file not found" in said or "exec format error" in said):
        return Blocked(name, "image", evidence, f"devenv build {name}")
    if container.state == "created":
        return Blocked(name, "dependency", problem, "devenv status")
    if int(details.get("RestartCount", 0)) > 0 and container.state != "running":
        return Blocked(name, "crash-loop", f"restarted {details['RestartCount']} times, exit code "
                       f"{state['ExitCode']}; last words: {last}", logs)
    if container.state == "exited":
        return Blocked(name, "exit", f"exit code {state['ExitCode']}; last words: {last}", logs)
    checks = (state.get("Health") or {}).get("Log") or []
    if checks:
        words = (checks[-1].get("Output") or "").strip().splitlines()
        said_check = words[-1] if words else f"exit code {checks[-1].get('ExitCode')}"
        cause = "unhealthy" if container.health == "unhealthy" else "starting"
        return Blocked(name, cause, f"health check: {said_check}; last words: {last}", logs)
    return Blocked(name, "starting", last, logs)


def _all_needs(model: Model, name: str) -> set[str]:
    found: set[str] = set()
    todo = [name]
    while todo:
        service = model.services.get(todo.pop())
        for need in service.needs if service else ():
            if need not in found:
                found.add(need)
                todo.append(need)
    return found
