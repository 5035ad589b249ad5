"""Free ports of this machine, chosen by us and at random: a container keeps its own when it is stopped and started."""

from __future__ import annotations

import random
import socket

from devenv.errors import DevenvError

# Below the range that systems take their own ports from (32768 on Linux, 49152 on macOS), and below NodePorts.
FIRST, LAST = 20000, 29999


def choose(count: int, first: int = FIRST, last: int = LAST) -> list[int]:
    """`count` different free ports; raises DevenvError where there are not so many."""
    candidates = list(range(first, last + 1))
    random.Random().shuffle(candidates)  # not pytest's seed: two runs with the same one must differ
    found: list[int] = []
    for port in candidates:
        if len(found) == count:
            break
        if is_free(port):
            found.append(port)
    if len(found) < count:
        raise DevenvError(f"no {count} free ports between {first} and {last} on 127.0.0.1",
                          "stop what listens there: `ss -ltnp` or `docker ps` lists it")
    return found


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
