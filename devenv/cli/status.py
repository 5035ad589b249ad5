"""`devenv status`."""

from __future__ import annotations

import click

from devenv import output
from devenv.cli.main import App
from devenv.engine import Engine
from devenv.runtimes import record
from devenv.runtimes.containers import observe, summary
from devenv.runtimes.request import was_as_built

_STYLES = {"usable": "green", "done": "dim", "starting": "yellow", "unhealthy": "red", "failed": "red"}


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Write the status as JSON.")
@click.pass_obj
def command(app: App, as_json: bool) -> None:
    """Show services, health and URLs.

    Example: devenv status --json
    """
    project = app.project
    seen = observe(Engine(), project.name)
    known = record.load(project)
    rows = []
    for name in sorted({*seen, *(known.containers if known else ())}):
        containers = seen.get(name, [])
        urls = [f"http://localhost:{published}" for one in containers for published, _ in one.ports]
        rows.append({
            "service": name, "condition": summary(containers), "urls": urls,
            "containers": [{"name": one.name, "id": one.identity, "status": one.status} for one in containers],
        })
    mode = "as built" if known and was_as_built(known.request) else "live reload"
    if as_json:
        output.emit("status", {"project": project.name, "directory": str(project.root), "runtime": "compose",
                               "mode": mode, "port_offset": project.checkout.port_offset, "services": rows})
        return
    output.say(f"{project.name} in {project.root} (compose, {mode})")
    if not rows:
        output.say("nothing runs; next: devenv up")
        return
    output.table([
        [row["service"], row["condition"], ", ".join(one["status"] for one in row["containers"]), " ".join(row["urls"])]
        for row in rows
    ], ("SERVICE", "CONDITION", "SINCE", "URL"))
