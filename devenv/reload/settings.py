"""What the reloader was asked to do: its command line, and a few times from the environment."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One request; times in seconds."""

    kind: str
    sources: tuple[str, ...]
    ready: str
    command: tuple[str, ...]
    # How long old code may take to finish what it has begun, and how long its WebSockets stay open.
    drain_s: float = 10.0
    websocket_drain_s: float = 0.5
    # When third-party modules are imported ahead: not while the whole platform is starting.
    warm_after_s: float = 2.0
    # Between SIGTERM and SIGKILL for a command of kind `process`.
    grace_s: float = 10.0
    debug: bool = False


def parse(argv: Sequence[str], environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the command line; leaves with exit code 2 and a reason for a wrong one."""
    parser = argparse.ArgumentParser(
        prog="devenv-reload", description="Run a command and let edits of its source take effect at once.",
        usage="%(prog)s --kind asgi|process --source DIR [--source DIR...] [--ready PATH] -- COMMAND...")
    parser.add_argument("--kind", choices=("asgi", "process"), required=True,
                        help="asgi: uvicorn, no request lost; process: any command, ended and started again")
    parser.add_argument("--source", action="append", required=True, metavar="DIR",
                        help="a directory of Python source, put first on the import path and watched")
    parser.add_argument("--ready", default="", metavar="PATH",
                        help="a URL, or its path, that has to answer before new code counts as ready")
    split = argv.index("--") if "--" in argv else len(argv)
    options, command = parser.parse_args(argv[:split]), tuple(argv[split + 1:])
    if not command:
        parser.error("the command to run is missing: put it behind `--`")
    sources = tuple(str(Path(source).absolute()) for source in options.source)
    for source in sources:
        if not Path(source).is_dir():
            parser.error(f"--source {source}: no such directory; mount the source there")
    times = {}
    for name in ("drain_s", "websocket_drain_s", "warm_after_s", "grace_s"):
        variable = f"DEVENV_RELOAD_{name.upper()}"
        text = environment.get(variable)
        if text:
            try:
                times[name] = float(text)
            except ValueError:
                times[name] = -1.0
            if not 0 <= times[name] < 3600:
                parser.error(f"{variable}={text}: a number of seconds is wanted, such as 2.5")
    return Settings(options.kind, sources, options.ready, command, **times,
                    debug=bool(environment.get("DEVENV_RELOAD_DEBUG")))
