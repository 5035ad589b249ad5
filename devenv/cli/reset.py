"""`devenv reset`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.complete import services as complete
from devenv.cli.main import App
from devenv.errors import DevenvError
from devenv.lock import locked


@click.command("reset")
@click.argument("backends", nargs=-1, metavar="[BACKEND]...", shell_complete=complete)
@click.option("--data", is_flag=True, help="Yes, the data: without it nothing is deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.pass_obj
def command(app: App, backends: tuple[str, ...], data: bool, yes: bool, no_wait: bool) -> None:
    """Delete the data of backends.

    No other command deletes any, but `snapshot restore` replaces it.

    Example: devenv reset --data redis
    """
    from devenv.runtimes.runtime import choose

    if not data:
        raise click.UsageError("reset deletes data: say so with --data")
    with locked(app.project.state, "reset", wait=not no_wait):
        runtime = choose(app.project)
        volumes = runtime.data(backends)
        output.say(f"this deletes: {', '.join(volumes)}")
        if not yes and not click.confirm("Delete this data?", err=True):
            raise DevenvError("nothing was deleted", "add --yes to delete without a question")
        with output.step("Delete data"):
            runtime.reset(backends)
    output.say("next: devenv up")
