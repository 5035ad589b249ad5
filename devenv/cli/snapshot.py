"""`devenv snapshot`."""

from __future__ import annotations

import json

import click

from devenv import output
from devenv.cli.main import App
from devenv.lock import locked


def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Names of this checkout's snapshots."""
    from pathlib import Path

    from devenv.errors import DevenvError
    from devenv.project import find
    from devenv.snapshots.store import names

    try:
        return [name for name in names(find(Path.cwd())) if name.startswith(incomplete)]
    except (DevenvError, OSError):
        return []


_name = click.argument("name", shell_complete=complete)
_no_wait = click.option("--no-wait", is_flag=True, help="If another devenv works on this checkout, exit with 75.")


@click.group("snapshot")
def command() -> None:
    """Save and restore the data of all backends together.

    A snapshot that was saved on Compose can be restored on kind, and the other way round.

    Example: devenv snapshot save before-the-migration
    """


@command.command("save")
@_name
@_no_wait
@click.pass_obj
def save(app: App, name: str, no_wait: bool) -> None:
    """Copy the data of all backends under NAME; the platform stands still meanwhile.

    Example: devenv snapshot save seeded
    """
    from devenv import snapshots
    from devenv.runtimes.runtime import choose

    with locked(app.project.state, "snapshot save", wait=not no_wait):
        saved = snapshots.save(app.project, choose(app.project), name)
    output.say(f"saved {len(saved.parts)} archive(s), {saved.size_bytes / 1e6:.1f} MB")
    output.say(f"to go back to it: devenv snapshot restore {name}")


@command.command("restore")
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
@_no_wait
@click.pass_obj
def restore(app: App, name: str, yes: bool, no_wait: bool) -> None:
    """Stop the platform and replace the data of all backends with that of NAME.

    Example: devenv snapshot restore --yes seeded
    """
    from devenv import snapshots
    from devenv.errors import DevenvError
    from devenv.runtimes.runtime import KIND, choose

    with locked(app.project.state, "snapshot restore", wait=not no_wait):
        runtime = choose(app.project)
        snapshots.find(app.project, name)
        if not yes and not click.confirm("This replaces the data of all backends. Go on?", err=True):
            raise DevenvError("nothing was changed", "add --yes to restore without a question")
        snapshots.restore(app.project, runtime, name)
    output.say("next: devenv up" + (" --k8s" if runtime.name == KIND else ""))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Write the snapshots as JSON, each with all that it says.")
@click.pass_obj
def list_(app: App, as_json: bool) -> None:
    """List the snapshots of this checkout, newest first.

    Example: devenv snapshot list --json
    """
    from devenv import snapshots

    found = snapshots.load(app.project)
    if as_json:
        output.emit("snapshots", {"snapshots": [json.loads(one.to_json()) for one in found]})
        return
    output.table([
        [one.name, one.made_at.replace("+00:00", "Z"), one.runtime, f"{one.size_bytes / 1e6:.1f} MB",
         ", ".join(dict.fromkeys(f"{part.backend} ({part.product})" for part in one.parts))] for one in found
    ], ("SNAPSHOT", "SAVED", "ON", "SIZE", "DATA OF"))


@command.command("delete")
@_name
@_no_wait
@click.pass_obj
def delete(app: App, name: str, no_wait: bool) -> None:
    """Delete the snapshot NAME.

    Example: devenv snapshot delete seeded
    """
    from devenv import snapshots

    with locked(app.project.state, "snapshot delete", wait=not no_wait):
        snapshots.delete(app.project, name)
