"""uvicorn's command line, read by uvicorn itself, and the listeners it asks for."""

from __future__ import annotations

import importlib
import os
import socket
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Optional


def uvicorn_arguments(command: Sequence[str]) -> Optional[list[str]]:
    """The arguments of `uvicorn ...` or `python -m uvicorn ...`; none for any other command."""
    program = PurePath(command[0]).name
    if program == "uvicorn":
        return list(command[1:])
    if program.startswith("python") and list(command[1:3]) == ["-m", "uvicorn"]:
        return list(command[3:])
    return None


def parse(arguments: Sequence[str]) -> dict[str, Any]:
    """uvicorn's options as it understands them; leaves with its own message for a wrong one, or for --help."""
    module: Any = importlib.import_module("uvicorn.main")
    options: dict[str, Any] = {}
    callback, module.main.callback = module.main.callback, lambda **found: options.update(found)
    try:
        module.main.main(list(arguments), prog_name="uvicorn")
    except SystemExit:
        if not options:
            raise
    finally:
        module.main.callback = callback
    return options


def listen(options: Mapping[str, Any]) -> tuple[list[socket.socket], str]:
    """Open what uvicorn would have opened, and say where that is; raises OSError that names the address."""
    if options.get("fd") is not None:
        listener = socket.socket(fileno=os.dup(options["fd"]))
        return [_open(listener, options)], f"file descriptor {options['fd']}"
    if options.get("uds") is not None:
        return [_open(_unix(options["uds"]), options)], f"unix:{options['uds']}"
    host, port = options["host"] or None, options["port"]
    listeners = []
    for family, kind, protocol, _, address in dict.fromkeys(
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)):
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        _bind(listener, (address[0], port, *address[2:]), f"{host or '*'}:{port}")
        port = port or listener.getsockname()[1]
        listeners.append(_open(listener, options))
    scheme = "https" if options.get("ssl_certfile") or options.get("ssl_keyfile") else "http"
    shown = f"[{host}]" if host and ":" in host else host or "0.0.0.0"
    return listeners, f"{scheme}://{shown}:{port}"


def _open(listener: socket.socket, options: Mapping[str, Any]) -> socket.socket:
    # From now on clients wait instead of being refused, whatever happens to the code behind.
    listener.listen(options.get("backlog") or 2048)
    listener.setblocking(False)
    return listener


def _unix(path: str) -> socket.socket:
    mode = 0o666
    place = Path(path)
    if place.exists() and stat.S_ISSOCK(place.stat().st_mode):
        mode = stat.S_IMODE(place.stat().st_mode)
        place.unlink()
    listener = socket.socket(socket.AF_UNIX)
    _bind(listener, path, path)
    place.chmod(mode)
    return listener


def _bind(listener: socket.socket, address: Any, shown: str) -> None:
    try:
        listener.bind(address)
    except OSError as cause:
        raise OSError(cause.errno, f"cannot listen on {shown}: {os.strerror(cause.errno or 0)}") from None
