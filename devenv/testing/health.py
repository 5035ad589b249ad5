"""Wait until a container is usable: by the real operation of its health check, not by its log or its port."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, sleep
from typing import Any

from devenv.engine import Engine, EngineError
from devenv.errors import DevenvError

INTERVAL_S = 0.05
OPERATION_S = 10.0  # one operation may take this long
LISTENING_S = 3.0  # after this long, the check is tried even if not all ports take connections


class Cancelled(DevenvError):
    """The run ends; nobody waits any more."""


def operation(definition: Mapping[str, Any], image: Mapping[str, Any]) -> tuple[str, ...]:
    """The command of the health check, of the Compose file or else of the image; empty where there is none."""
    check = definition.get("healthcheck") or {}
    test = check.get("test") or ((image.get("Config") or {}).get("Healthcheck") or {}).get("Test") or ()
    if check.get("disable") or not test or test[0] == "NONE":
        return ()
    if test[0] == "CMD-SHELL":
        return ("/bin/sh", "-c", test[1])
    return tuple(test[1:] if test[0] == "CMD" else test)


def wait_usable(engine: Engine, name: str, container: str, command: Sequence[str], ports: Mapping[int, int],
                timeout_s: float, is_cancelled: Callable[[], bool] = lambda: False) -> None:
    """Return once the operation succeeds; raises DevenvError at once when the container ends, or after `timeout_s`."""
    deadline = monotonic() + timeout_s
    listening_at = monotonic() + (LISTENING_S if command else timeout_s)
    said = "nothing accepts a connection yet"
    while monotonic() < deadline:
        if is_cancelled():
            raise Cancelled(f"stopped waiting for `{name}`: the run ends")
        began = monotonic()
        # Knocking costs nothing; an operation in a container costs processor time that the server needs to start.
        is_listening = all(_accepts(port) for port in ports.values())
        if command and (is_listening or began > listening_at):
            is_usable, said = _try(engine, container, command)
        else:
            is_usable = is_listening and not command
        if is_usable:
            return
        require_running(engine, name, container)
        sleep(max(INTERVAL_S, monotonic() - began))
    raise DevenvError(f"`{name}` is not usable after {timeout_s:.0f} s; its health check says: {said}\n"
                      f"{last_words(engine, container)}")


def require_running(engine: Engine, name: str, container: str) -> None:
    """Raise DevenvError with the last lines of a container that does not run."""
    state = engine.container(container)["State"]
    if state["Running"]:
        return
    why = "was killed at its memory limit" if state.get("OOMKilled") else f"ended with exit code {state['ExitCode']}"
    raise DevenvError(f"`{name}` {why}; its last lines:\n{last_words(engine, container)}",
                      "mend its definition in the Compose file, or its image")


def last_words(engine: Engine, container: str, lines: int = 12) -> str:
    """The end of a container's log, indented."""
    said = engine.logs(container, lines)
    return "\n".join(f"  | {line}" for line in said) or "  | (it wrote nothing)"


def _try(engine: Engine, container: str, command: Sequence[str]) -> tuple[bool, str]:
    try:
        code, output = engine.execute(container, command, OPERATION_S)
    except EngineError as refusal:
        if refusal.status not in (404, 409):  # not running: the caller looks why
            raise
        return False, refusal.message
    return code == 0, (output.splitlines() or [f"exit code {code}"])[-1]


def _accepts(port: int) -> bool:
    """Whether a server takes our connection; Docker's own proxy takes it too, but hangs up at once without one."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.settimeout(0.05)
            return connection.recv(1) != b""
    except TimeoutError:
        return True  # it waits for us to speak
    except OSError:
        return False
