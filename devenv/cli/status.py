"""`devenv status`."""

from __future__ import annotations

from dataclasses import asdict

import click

from devenv import output
from devenv.cli.main import App
from devenv.runtimes.runtime import choose


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Write the status as JSON.")
@click.pass_obj
def command(app: App, as_json: bool) -> None:
    """Show services, health and URLs.

    Example: devenv status --json
    """
    runtime = choose(app.project)
    project, mode, services = app.project, runtime.mode(), runtime.status()
    if as_json:
        output.emit("status", {
            "project": project.name, "directory": str(project.root), "runtime": runtime.name, "mode": mode,
            "port_offset": project.checkout.port_offset, "services": [asdict(one) for one in services],
        })
        return
    output.say(f"{project.name} in {project.root} ({runtime.name}, {mode})")
    if not services:
        output.say("nothing runs; next: devenv up")
        return
    output.table([
        [one.service, one.condition, ", ".join(each.status for each in one.instances), " ".join(one.urls)]
        for one in services
    ], ("SERVICE", "CONDITION", "INSTANCES", "URL"))
