"""The entry: from the command line to the loop of one kind."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import listen
from .process import ProcessSupervisor
from .say import say
from .settings import Settings, parse


def main(argv: Sequence[str]) -> int:
    """Run the command under the reloader; returns the exit code."""
    settings = parse(argv)
    # For every Python that is started from here on.
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["PYTHONPATH"] = os.pathsep.join([*settings.sources, *([inherited] if inherited else [])])
    if settings.kind == "process":
        return ProcessSupervisor(settings).run()
    return _run_asgi(settings)


def _run_asgi(settings: Settings) -> int:
    arguments = listen.uvicorn_arguments(settings.command)
    if arguments is None:
        say(f"--kind asgi runs `uvicorn ...`, not `{settings.command[0]}`; use --kind process for that")
        return 2
    try:
        options = listen.parse(arguments)
    except ModuleNotFoundError as missing:
        say(f"this Python cannot import `{missing.name}`: run the reloader with the one that has it")
        return 2
    # It imports uvicorn.
    from .asgi import AsgiSupervisor

    try:
        listeners, address = listen.listen(options)
    except OSError as cause:
        say(f"{cause.strerror or cause}; end what uses that address, or give the command another one")
        return 1
    code = AsgiSupervisor(settings, options, listeners, address).run()
    if options.get("uds"):
        Path(options["uds"]).unlink(missing_ok=True)
    return code
