"""What the engine says of a project's containers, as one small value each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv.engine import CONFIG_LABEL, SERVICE_LABEL, Engine

USABLE, STARTING, STOPPED, UNHEALTHY, DONE, FAILED, ABSENT = (
    "usable", "starting", "stopped", "unhealthy", "done", "failed", "absent"
)


@dataclass(frozen=True)
class Container:
    """One container of a service."""

    identity: str
    name: str
    service: str
    state: str  # the engine's word: created, running, restarting, exited, paused, dead
    health: str  # healthy, unhealthy, starting, or empty where there is no health check
    exit_code: int | None
    config_hash: str
    image_id: str
    status: str  # the engine's sentence, for people
    ports: tuple[tuple[int, int], ...]  # (published, target): TCP, reached by `localhost`


def observe(engine: Engine, project: str) -> dict[str, list[Container]]:
    """Service -> its containers, in one call to the engine."""
    found: dict[str, list[Container]] = {}
    for one in engine.containers(project):
        container = _read(one)
        if container.service:
            found.setdefault(container.service, []).append(container)
    return found


def condition(container: Container) -> str:
    """Where a container stands: usable, starting, stopped, unhealthy, done or failed."""
    if container.state == "running":
        return {"unhealthy": UNHEALTHY, "starting": STARTING}.get(container.health, USABLE)
    if container.state == "restarting":
        return STARTING
    if container.state == "exited" and container.exit_code is not None:
        if container.exit_code == 0:
            return DONE
        # Ended by SIGKILL or SIGTERM (128 + 9 or 15): it was stopped, it did not fail.
        return STOPPED if container.exit_code in (137, 143) else FAILED
    return STOPPED


def summary(containers: list[Container]) -> str:
    """The condition of a service: the worst of its containers."""
    if not containers:
        return ABSENT
    order = (FAILED, UNHEALTHY, STOPPED, STARTING, DONE, USABLE)
    return min((condition(one) for one in containers), key=order.index)


def _read(one: Mapping[str, Any]) -> Container:
    status = one.get("Status", "")
    exited = re.match(r"Exited \((\d+)\)", status)
    health = re.search(r"\((healthy|unhealthy|health: starting)\)", status)
    return Container(
        identity=one["Id"],
        name=one["Names"][0].lstrip("/") if one["Names"] else one["Id"][:12],
        service=one["Labels"].get(SERVICE_LABEL, ""),
        state=one["State"],
        health=health[1].removeprefix("health: ") if health else "",
        exit_code=int(exited[1]) if exited else None,
        config_hash=one["Labels"].get(CONFIG_LABEL, ""),
        image_id=one["ImageID"],
        status=status,
        ports=tuple(sorted({(p["PublicPort"], p["PrivatePort"]) for p in one["Ports"] if _is_local(p)})),
    )


def _is_local(port: Mapping[str, Any]) -> bool:
    return (port.get("PublicPort") is not None and port.get("Type", "tcp") == "tcp"
            and port.get("IP", "") in ("", "0.0.0.0", "::", "127.0.0.1", "::1"))
