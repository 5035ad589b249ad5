"""`devenv seed`."""

from __future__ import annotations

import sys

import click

from devenv.cli.main import App


@click.command("seed")
@click.pass_obj
def command(app: App) -> None:
    """Load the demo data.

    Prints what the loading prints, such as the demo key. May run again.

    Example: eval "$(devenv seed)"
    """
    from devenv.runtimes.runtime import choose

    sys.stdout.write(choose(app.project).seed())
