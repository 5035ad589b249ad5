"""`devenv down`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App
from devenv.lock import locked


@click.command("down")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.pass_obj
def command(app: App, no_wait: bool) -> None:
    """Stop the platform and remove its containers; data stays.

    Example: devenv down
    """
    from devenv.runtimes.runtime import choose

    with locked(app.project.state, "down", wait=not no_wait), output.step("Stop and remove containers; data stays"):
        choose(app.project).down()
    output.say("next: devenv up")
