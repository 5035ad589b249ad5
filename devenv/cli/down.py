"""`devenv down`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App
from devenv.lock import locked


@click.command("down")
@click.option("--delete", is_flag=True, help="Delete the kind cluster and its registry, with the data in them.")
@click.option("--rehearsal", is_flag=True, help="Remove a rehearsal that was kept; the platform stays.")
@click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")
@click.pass_obj
def command(app: App, delete: bool, rehearsal: bool, no_wait: bool) -> None:
    """Stop the platform; data stays.

    Example: devenv down
    """
    from devenv.engine import Engine
    from devenv.runtimes.runtime import choose
    from devenv.testing.reaper import end_sets

    if rehearsal:
        _end_rehearsal(app)
        return
    with locked(app.project.state, "down", wait=not no_wait):
        if delete:
            from devenv.runtimes.kind.runtime import KindRuntime
            from devenv.shell import Runner

            with output.step("Delete the cluster and its registry, with the data in them"):
                KindRuntime(app.project, Runner()).delete()
            return
        with output.step("Stop the platform; data stays"):
            choose(app.project).down()
        ended, in_use = end_sets(app.project, Engine())
    if ended:
        output.say(f"ended {len(ended)} warm test set(s)")
    if in_use:
        output.say(f"{len(in_use)} test set(s) are in use by a run and stay until it ends")
    output.say("next: devenv up")


def _end_rehearsal(app: App) -> None:
    from devenv.config import Environment
    from devenv.engine import Engine
    from devenv.rehearsal.context import Rehearsal
    from devenv.rehearsal.rehearse import end
    from devenv.shell import Runner

    # Whichever environment it was of: a checkout has one rehearsal.
    there = end(Rehearsal(app.project, Runner(), Engine(), Environment("", "", "")))
    output.say("next: devenv promote ENVIRONMENT --rehearse" if there else "there was no rehearsal")
