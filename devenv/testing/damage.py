"""What a test has done to the backends: looked at after each test that was given one, and mended before the next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from devenv.engine import Engine, EngineError
from devenv.testing.handles import Backend, Handle
from devenv.testing.health import OPERATION_S
from devenv.testing.records import Record


@dataclass(frozen=True)
class Finding:
    """A backend that is not as it was, and whether its container is beyond a simple repair."""

    name: str
    reason: str
    is_lost: bool


def look(engine: Engine, handle: Handle, network: str) -> Finding | None:
    """What is wrong with the container itself."""
    try:
        seen = engine.container(handle.container)
    except EngineError as refusal:
        if refusal.status != 404:
            raise
        return Finding(handle.name, "its container was removed", is_lost=True)
    state = seen["State"]
    if state["Paused"]:
        return Finding(handle.name, "left paused", is_lost=False)
    if not state["Running"]:
        return Finding(handle.name, f"not running (exit code {state['ExitCode']})", is_lost=True)
    if network not in seen["NetworkSettings"]["Networks"]:
        return Finding(handle.name, "left off the network", is_lost=False)
    return None


def repair(handle: Handle, network: str) -> None:
    """Undo a pause and a disconnection, both of which leave the data whole."""
    while (finding := look(handle.control.engine, handle, network)) and not finding.is_lost:
        if finding.reason == "left paused":
            handle.unpause()
        else:
            handle.connect()


def try_out(backend: Backend, record: Record, find_operation: Callable[[], tuple[str, ...]]) -> str:
    """Why the backend no longer does its work as before, or an empty text."""
    if record.baseline and backend.has_client:
        return attempt(backend, lambda: backend.damage(record.baseline))
    # We have no client for it, so its own health check has to do.
    operation = find_operation()
    if not operation:
        return ""
    code, output = backend.control.engine.execute(backend.container, operation, OPERATION_S)
    return f"its health check fails: {output or code}" if code else ""


def attempt(backend: Backend, work: Callable[[], str | None]) -> str:
    """What `work` says, or why it failed twice: a connection of ours may be older than a harmless restart."""
    for _ in range(2):
        try:
            return work() or ""
        except Exception as problem:  # each client library has its own
            failure = f"it does not answer: {type(problem).__name__}: {problem}"
            forget(backend)
    return failure


def forget(handle: Handle) -> None:
    """Drop our own connection; it may be to a backend that is gone, so how that ends is nobody's concern."""
    with suppress(Exception):
        handle.close()
