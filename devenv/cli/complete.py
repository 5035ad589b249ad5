"""Shell completion of names, from what the last `up` recorded: it starts no other program."""

from __future__ import annotations

from pathlib import Path

import click

from devenv.errors import DevenvError


def services(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of services that the last `up` knew."""
    from devenv.project import find
    from devenv.runtimes.record import load

    try:
        known = load(find(Path.cwd()))
    except (DevenvError, OSError):
        return []
    return [name for name in (known.containers if known else ()) if name.startswith(incomplete)]
