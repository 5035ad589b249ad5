"""Ports of this machine: who has one, before anything is changed."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from pathlib import Path

from devenv.engine import DIRECTORY_LABEL, PROJECT_LABEL, Engine
from devenv.errors import DevenvError
from devenv.model import Port, Service


def check_free(services: Iterable[Service], project: str, engine: Engine) -> None:
    """Raise DevenvError that names every port that another program holds, and the program."""
    listed = engine.get("/containers/json")
    ours = {
        (port.get("PublicPort"), port["Type"])
        for one in listed if one["Labels"].get(PROJECT_LABEL) == project for port in one["Ports"]
    }
    taken = [
        f"port {port.published} (wanted by `{service.name}`) is used by {_owner(port, listed)}"
        for service in services for port in service.ports
        if (port.published, port.protocol) not in ours and not _is_free(port)
    ]
    if taken:
        raise DevenvError(
            "; ".join(taken),
            "stop that program, or move this checkout's ports: `devenv up --port-offset 100`",
        )


def _is_free(port: Port) -> bool:
    kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
    address = port.host_ip or "0.0.0.0"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        # As the engine does: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port.published))
        except OSError as refusal:
            return refusal.errno != errno.EADDRINUSE
    return True


def process_on(port: int, engine: Engine) -> str | None:
    """Who listens on a port of 127.0.0.1, or None where it is free."""
    wanted = Port("127.0.0.1", port, port, "tcp")
    return None if _is_free(wanted) else _owner(wanted, engine.get("/containers/json"))


def _owner(port: Port, containers: list[dict[str, object]]) -> str:
    for one in containers:
        published = [entry.get("PublicPort") for entry in one["Ports"]]  # type: ignore[attr-defined]
        if port.published in published:
            labels: dict[str, str] = one["Labels"]  # type: ignore[assignment]
            name = str(one["Names"][0]).lstrip("/")  # type: ignore[index]
            where = labels.get(DIRECTORY_LABEL)
            return f"the container `{name}`" + (f" of the project in `{where}`" if where else "")
    return _process(port.published)


def _process(port: int) -> str:
    """The listening process, read from /proc (Linux); its name is hidden when it is another person's."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == "0A":  # 0A: LISTEN
                inodes.add(f"socket:[{fields[9]}]")
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) in inodes:
                pid = link.parts[2]
                command = Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return f"process {pid} (`{command.strip()[:80]}`)"
        except OSError:
            continue
    return "another program"
