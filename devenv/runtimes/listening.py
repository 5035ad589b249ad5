"""Wait for services that have no health check: one that publishes a port is usable once somebody listens there."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from time import monotonic, sleep

from devenv.runtimes.containers import Container

# The engine's own proxy accepts at once, and hangs up when it finds nobody behind it: so long it must stay.
STAYS_S = 0.1
# A port may be published for a debugger that nobody starts; it should not hold up the rest for long.
PATIENCE_S = 20


def never_open(containers: Iterable[Container], deadline: float) -> list[tuple[str, int]]:
    """(service, port) for each published port on which nobody listens by the deadline (monotonic seconds)."""
    waiting = [(one.service, published) for one in containers if not one.health and one.state == "running"
               for published, _ in one.ports]
    while waiting:
        waiting = [(service, port) for service, port in waiting if not is_open(port)]
        if not waiting or monotonic() > deadline:
            break
        sleep(0.02)
    return waiting


def is_open(port: int) -> bool:
    """Whether a connection to this machine's port is accepted and kept."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            sock.settimeout(STAYS_S)
            # Some speak first; an end of the stream means that nobody is there.
            return sock.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False
