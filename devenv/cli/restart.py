"""`devenv restart`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App
from devenv.lock import locked


@click.command("restart")
@click.argument("services", nargs=-1, metavar="[SERVICE]...", shell_complete=complete)
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.pass_obj
def command(app: App, services: tuple[str, ...], no_wait: bool) -> None:
    """Restart services and wait until they are usable.

    Example: devenv restart web
    """
    from devenv.runtimes.runtime import choose

    with locked(app.project.state, "restart", wait=not no_wait):
        choose(app.project).restart(services)
    output.say("next: devenv status")
